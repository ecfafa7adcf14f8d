"""Pages in a real browser: a notebook becomes a page, headless Chromium opens it offline, and what it complains of is recorded.

A module imports the fixture `chromium`, and its tests use opened(); they are skipped where Playwright or Chromium is not
installed, and fail there if MINIRES_REQUIRE names playwright.
"""

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass
class Complaints:
    """What a page did that it should not have done."""

    errors: list = field(default_factory=list)  # on the console, and exceptions
    foreign: list = field(default_factory=list)  # addresses of other hosts that it asked for


def _missing(what):
    line = f"{what} is not installed: pages are not opened in a browser"
    if "playwright" in os.environ.get("MINIRES_REQUIRE", "").split():
        pytest.fail(line)
    pytest.skip(line)


@pytest.fixture(scope="module")
def chromium():
    """Start the system's Chromium for the tests of a module; while it runs, no other event loop can (that of nbclient, say)."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        _missing("Playwright (pip install -e '.[browser]')")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        _missing("Chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser, path, *, width=1200, height=800, scripts=True, **options):
    """Open a file and yield (page, complaints). Requests to any host are answered by nobody, and recorded.

    options  of Playwright's new_context(), such as color_scheme="dark" or reduced_motion="reduce"
    """
    context = browser.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=scripts, **options
    )
    complaints = Complaints()

    def refuse(route):
        complaints.foreign.append(route.request.url)
        route.abort()

    def listen(message):
        if message.type == "error":
            complaints.errors.append(message.text)

    try:
        context.route(lambda url: url.startswith(("http:", "https:", "ws:", "wss:")), refuse)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.errors.append(str(error)))
        page.goto(path.as_uri())
        yield page, complaints
    finally:
        context.close()


def page_of(notebook, path):
    """Write a notebook as the page that nbconvert makes of it, and return the path.

    MathJax, jQuery and RequireJS, which that page takes from other hosts, are left out: formulas stay as they are written.
    """
    exporter = pytest.importorskip("nbconvert").HTMLExporter(
        mathjax_url="", jquery_url="", require_js_url=""
    )
    body, _ = exporter.from_notebook_node(notebook)
    path.write_text(body, encoding="utf-8")
    return path


def bare_page(parts, path, style=""):
    """Write a page of these pieces of HTML, and nothing around them, and return the path."""
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Steppers</title>'
    head += f'<meta name="viewport" content="width=device-width"><style>{style}</style><body>'
    path.write_text(head + "\n".join(parts), encoding="utf-8")
    return path


def too_wide(page):
    """Return by how many pixels the page is wider than its window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
