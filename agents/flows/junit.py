"""Results of flows' tests as JUnit XML, for the servers that run builds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as ET

from .failure_texts import sentence_of
from .testing import Result

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Mapping[str, Iterable[Result]]) -> bytes:
    """A document with a suite for each flow, by its address, and a case for each of its tests."""
    root = ET.Element("testsuites")
    for flow, found in results.items():
        _suite(root, flow, list(found))
    root.attrib |= _sums([each for found in results.values() for each in found])
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _suite(root: ET.Element, flow: str, results: list[Result]) -> None:
    suite = ET.SubElement(root, "testsuite", {"name": flow, **_sums(results)})
    for each in results:
        about = {"classname": flow, "name": _clean(each.name), "time": f"{each.seconds:.3f}"}
        case = ET.SubElement(suite, "testcase", about)
        if each.failures:
            told = [_clean(sentence_of(failure)) for failure in each.failures]
            failure = ET.SubElement(case, "failure", {"message": told[0], "type": each.failures[0].code})
            failure.text = "\n".join(told)


def _sums(results: list[Result]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(not each.passed for each in results)),
        "errors": "0",
        "time": f"{sum(each.seconds for each in results):.3f}",
    }


def _clean(text: str) -> str:
    """Without what XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
