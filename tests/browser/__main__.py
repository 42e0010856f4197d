"""Look at the status page in a real headless Chromium: `python -m tests.browser [--pictures DIR]`.

At 1280 and at 390 pixels, light and dark, with a rejected edit on it: nothing overflows, nothing is
loaded from anywhere, no script runs, no secret is in the document, and an accessibility checker
finds nothing. Needs `chromium` and the `browser` extra.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from .shop import CANARY, TOKEN, shop

WIDTHS = {1280: 900, 390: 844}
FLEET = ("3 of 4 serve edition 4", "1 behind", "1 lost", "(this one)", "A pin of edition 4")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
OVERFLOW = """() => {
  const wide = document.documentElement;
  const found = [...document.querySelectorAll("body *")].filter(one => {
    const box = one.getBoundingClientRect();
    const hidden = getComputedStyle(one).clipPath !== "none" || one.closest("thead");
    return !hidden && (box.right > wide.clientWidth + 0.5 || box.left < -0.5
      || (one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0
          && getComputedStyle(one).display !== "inline"));
  });
  return {page: [wide.scrollWidth, wide.clientWidth],
          elements: found.map(one => one.outerHTML.slice(0, 120))};
}"""


def main() -> int:
    """Look at every width and scheme; 0 when all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser")
    parser.add_argument("--pictures", type=Path, help="where to put them (a temporary directory)")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="the browser")
    given = parser.parse_args()
    if given.chromium is None:
        print("there is no chromium: apt-get install chromium")
        return 2
    with tempfile.TemporaryDirectory() as directory, shop(Path(directory)) as address:
        pictures: Path = given.pictures or Path(directory)
        pictures.mkdir(parents=True, exist_ok=True)
        problems = list(_look(address, pictures, given.chromium))
    for problem in problems:
        print(problem)
    print(f"{len(WIDTHS) * len(SCHEMES)} pictures, {len(problems)} problems")
    return 1 if problems else 0


def _look(address: str, pictures: Path, chromium: str) -> Iterator[str]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            for width, height in WIDTHS.items():
                for scheme in SCHEMES:
                    name = f"{width}-{scheme}"
                    for problem in _seen(browser, address, width, height, scheme, pictures / name):
                        yield f"{name}: {problem}"
        finally:
            browser.close()


def _seen(
    browser: Browser,
    address: str,
    width: int,
    height: int,
    scheme: Literal["light", "dark"],
    picture: Path,
) -> Iterator[str]:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=1
    )
    said: list[str] = []
    asked: list[str] = []
    with context, context.new_page() as page:
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}?token={TOKEN}")
        page.screenshot(path=f"{picture}.png", full_page=True)
        yield from _document(page, address, scheme)
        yield from (f"the console says: {text}" for text in said)
        others = [url for url in asked if not url.startswith((address, "data:,"))]
        yield from (f"loads {url}" for url in others)
        yield from _axe(page)


def _document(page: Page, address: str, scheme: str) -> Iterator[str]:
    if page.url != f"{address}?format=html":
        yield f"the address bar shows {page.url}"
    text = page.content()
    if CANARY in text:
        yield "a secret is in the document"
    if TOKEN in text:
        yield "the token is in the document"
    for words in (
        "is serving",
        "rejected",
        "app.yaml:9:",
        "database.pool_size",
        "..2026_11_20",
        *FLEET,
    ):
        if words not in page.inner_text("body"):
            yield f"does not say {words!r}"
    if page.locator("script").count():
        yield "has a script"
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    light = sum(int(part) for part in ground[4:-1].split(",")) > 3 * 128
    if light is not (scheme == "light"):
        yield f"is {ground} where {scheme} is asked for"
    size = page.evaluate(OVERFLOW)
    if size["page"][0] > size["page"][1]:
        yield f"is {size['page'][0]} pixels wide in {size['page'][1]}"
    yield from (f"overflows: {element}" for element in size["elements"])


def _axe(page: Page) -> Iterator[str]:
    """Have axe-core look; its script is evaluated beside the page, whose policy admits none."""
    script = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page.evaluate(script)
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    if not found["passes"]:
        yield "axe found nothing to check"
    for rule in found["violations"]:
        places = [" ".join(map(str, node["target"])) for node in rule["nodes"][:3]]
        yield f"axe: {rule['id']}: {rule['help']}: {places}"


if __name__ == "__main__":
    sys.exit(main())
