"""`make pictures`: every page of the full demo in both themes, on a desk and on a phone, for docs/pictures.

A page that shows a fault or scrolls sideways fails here before anybody looks at its picture.
"""

from __future__ import annotations

import io
import os
from base64 import b64decode
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.chrome import FAULTS, browser, resize, settle, wear
from tests.browser.test_browser import PAGES

pytestmark = [
    pytest.mark.browser, pytest.mark.slow,
    pytest.mark.skipif("THROUGHLINE_PICTURES" not in os.environ, reason="takes pictures: make pictures"),
]  # fmt: skip
LOOKS = {"desktop": (1400, 1500), "phone": (390, 1100)}  # width, and how far down a picture goes
MOST_BYTES = 80_000


@pytest.mark.parametrize("page", [*PAGES, "generated", "meeting"])
def test_each_page_is_taken_in_every_look(page, full_demo):
    album = Path(os.environ["THROUGHLINE_PICTURES"])
    album.mkdir(parents=True, exist_ok=True)
    with browser(LOOKS["desktop"][0], "light") as driver:
        driver.get(f"{full_demo}/{'' if page == 'scorecard' else page}?tour=seen")
        for look, (width, height) in LOOKS.items():
            for theme in ("light", "dark"):
                wear(driver, theme)
                resize(driver, width, height)
                settle(driver)
                assert driver.execute_script(FAULTS) == []
                assert driver.execute_script("return document.documentElement.scrollWidth") <= width
                keep(taken(driver), album / f"{page}-{look}-{theme}.webp")


def taken(driver) -> Image.Image:
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    return Image.open(io.BytesIO(b64decode(shot["data"]))).convert("RGB")


def keep(picture: Image.Image, path: Path) -> None:
    """Write it as small as it must be and as fine as that allows."""
    for quality in (82, 70, 55, 40):
        made = io.BytesIO()
        picture.save(made, "WEBP", quality=quality, method=6)
        if made.tell() <= MOST_BYTES:
            break
    path.write_bytes(made.getvalue())
