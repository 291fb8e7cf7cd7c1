"""What the API says when something is refused or fails: one code, one status, one text in each language."""

from __future__ import annotations

from typing import Any

TEXTS: dict[str, tuple[int, str, str]] = {
    "login_wrong": (401, "姓名或密码不对", "The name or the password is wrong"),
    "login_wait": (429, "试错太多次，请等 5 分钟", "Too many attempts: wait 5 minutes"),
    "not_signed_in": (401, "请先登录", "Log in first"),
    "not_allowed": (403, "您的角色不能做这件事", "Your role may not do this"),
    "form_expired": (403, "页面已过期，请刷新后再试", "The page has expired: reload it and try again"),
    "wrong_origin": (403, "请求来自别的网站，已拒绝", "The request came from another site and was refused"),
    "not_found": (404, "没有这一项", "There is no such thing"),
    "method_not_allowed": (405, "这个地址不支持该操作", "This address does not take that method"),
    "too_large": (413, "内容太大", "That is too large"),
    "bad_request": (422, "填写的内容不对", "Something in the request is not right"),
    "unknown_robot": (404, "没有这台机器人", "There is no such robot"),
    "unknown_series": (404, "没有这个设备或指标", "There is no such device or metric"),
    "unknown_lot": (404, "没有这个批次", "There is no such lot"),
    "unknown_alarm": (404, "没有这条报警", "There is no such alarm"),
    "no_model": (404, "机器人还没有发来它的结构", "The robot has not told its shape yet"),
    "store_failed": (503, "暂时读不到数据", "The data cannot be read at the moment"),
    "no_answer": (504, "对方没有回应", "There was no answer"),
    "server_failed": (500, "看板出了错；机器人和数据不受影响", "The dashboard failed; robot and data are not affected"),
}


class ApiError(Exception):
    """A request that is not served; `code` is a key of TEXTS, `detail` says what exactly, for whoever calls the API."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


def status_of(code: str) -> int:
    """Return the HTTP status of a code."""
    return TEXTS[code][0]


def body_of(code: str, detail: str = "") -> dict[str, Any]:
    """Return the JSON of an error."""
    _, zh, en = TEXTS[code]
    error = {"code": code, "zh": zh, "en": en}
    return {"error": error | {"detail": detail} if detail else error}
