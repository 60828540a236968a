"""The model of where calls go in their flows; `telephony.models` has it with the others."""

from __future__ import annotations

from django.db import models


class FlowTraffic(models.Model):
    """How many calls of an hour came to a step of a flow, or took a connection, each call once.

    The notes of steps, summed as calls end: from the events it would cost the JSON of all of them.
    `telephony.traffic` writes and reads them. They name no call, and outlast those that are deleted.
    """

    version = models.ForeignKey("agents.FlowVersion", models.CASCADE, related_name="+")
    hour = models.DateTimeField()  # in which the calls began
    flow = models.CharField(max_length=80, blank=True)  # the sub-flow's address; "" for the flow itself
    part = models.CharField(max_length=80)  # id of the step or connection
    end = models.CharField(max_length=32, blank=True)  # how calls ended at this step; "" counts all that came
    calls = models.PositiveIntegerField()

    class Meta:
        constraints = [
            # also what the page of a flow's traffic is read by
            models.UniqueConstraint(
                fields=["version", "hour", "flow", "part", "end"], name="flow_traffic_once_an_hour"
            )
        ]

    def __str__(self) -> str:
        return f"{self.part}: {self.calls}"
