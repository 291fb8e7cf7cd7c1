"""The farm's brain: data health, KPIs, what is known of each bed segment, the plan and the work orders."""
