"""The network: plain 3x3 convolutions down to stride 32, a pyramid back up to stride 8, one head, mask prototypes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision.net.layout import CHANNELS, PROTOTYPES, SPANS


@dataclass(frozen=True, slots=True, kw_only=True)
class NetSettings:
    """Widths of the levels and number of residual blocks; 0.9 million weights as given.

    Attributes:
        widths: channels at stride 2, 4, 8, 16, 32.
        blocks: residual blocks at stride 8, 16, 32.
        neck: channels of the pyramid.
        head: channels of the last layer before the output.
    """

    widths: tuple[int, int, int, int, int] = (16, 24, 48, 80, 128)
    blocks: tuple[int, int, int] = (1, 2, 2)
    neck: int = 48
    head: int = 64


class ConvUnit(nn.Module):
    """A convolution, batch normalisation, ReLU: the three become one when the model is exported."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs, momentum=0.03)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)), inplace=True)


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvUnit(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels, momentum=0.03)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))), inplace=True)


class BerryNet(nn.Module):
    """RGB picture in, head and mask prototypes out.

    The picture is float, 0-255, shape (n, 3, h, w) with sides that are multiples of 32. The outputs are the head,
    shape (n, CHANNELS, h/8, w/8), channels as `vision.net.layout` names them, and prototypes, shape
    (n, PROTOTYPES, h/4, w/4).
    """

    def __init__(self, settings: NetSettings | None = None) -> None:
        super().__init__()
        s = settings or NetSettings()
        w2, w4, w8, w16, w32 = s.widths
        self.stem = ConvUnit(3, w2, stride=2)
        self.level4 = ConvUnit(w2, w4, stride=2)
        self.level8 = nn.Sequential(ConvUnit(w4, w8, stride=2), *(Block(w8) for _ in range(s.blocks[0])))
        self.level16 = nn.Sequential(ConvUnit(w8, w16, stride=2), *(Block(w16) for _ in range(s.blocks[1])))
        self.level32 = nn.Sequential(ConvUnit(w16, w32, stride=2), *(Block(w32) for _ in range(s.blocks[2])))
        self.lateral8 = ConvUnit(w8, s.neck, kernel=1)
        self.lateral16 = ConvUnit(w16, s.neck, kernel=1)
        self.lateral32 = ConvUnit(w32, s.neck, kernel=1)
        self.smooth16 = ConvUnit(s.neck, s.neck)
        self.smooth8 = ConvUnit(s.neck, s.neck)
        self.head = ConvUnit(s.neck, s.head)
        self.out = nn.Conv2d(s.head, CHANNELS, 1)
        self.fine = ConvUnit(w4, 16, kernel=1)
        self.coarse = ConvUnit(s.neck, 16, kernel=1)
        self.proto = nn.Conv2d(16, PROTOTYPES, 3, 1, 1)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.out.weight, std=0.01)
        bias = torch.zeros(CHANNELS)
        bias[SPANS["heat"].slice] = -math.log(99.0)
        bias[SPANS["box"].slice] = math.log(2.5)
        bias[SPANS["visible"].slice] = 2.0
        self.out.bias = nn.Parameter(bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = (x - 114.0) * (1.0 / 64.0)
        c4 = self.level4(self.stem(x))
        c8 = self.level8(c4)
        c16 = self.level16(c8)
        p32 = self.lateral32(self.level32(c16))
        p16 = self.smooth16(self.lateral16(c16) + F.interpolate(p32, scale_factor=2.0, mode="nearest"))
        p8 = self.smooth8(self.lateral8(c8) + F.interpolate(p16, scale_factor=2.0, mode="nearest"))
        coarse = F.interpolate(self.coarse(p8), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.out(self.head(p8)), self.proto(self.fine(c4) + coarse)
