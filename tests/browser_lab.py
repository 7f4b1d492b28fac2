"""JupyterLab in a browser, for tests that use it as a person does."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCREENSHOTS = ROOT / "out" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def need_browser():
    """Skip the module, and say why, where there is nothing to drive or nothing to drive it with."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    if next(filter(None, map(shutil.which, BROWSERS)), None) is None:
        pytest.skip(f"no browser on the PATH ({', '.join(BROWSERS)})", allow_module_level=True)


@contextlib.contextmanager
def browser():
    """Start the machine's own Chromium."""
    from playwright.sync_api import sync_playwright

    words = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as driver:
        program = next(filter(None, map(shutil.which, BROWSERS)))
        chromium = driver.chromium.launch(executable_path=program, args=words)
        try:
            yield chromium
        finally:
            chromium.close()


@contextlib.contextmanager
def jupyter(folder):
    """Start JupyterLab on a folder; yields its address and token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    home = folder / ".home"
    home.mkdir(exist_ok=True)
    words = [
        "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0", "--ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}", "--expose-app-in-browser",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=",
    ]  # fmt: skip
    places = {
        name: str(home / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    env = {
        **os.environ,
        **places,
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "spaces"),
    }
    env |= {"JUPYTER_PREFER_ENV_PATH": "1", "OMP_NUM_THREADS": "1"}
    quiet = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *words], cwd=folder, env=env, stdout=log, stderr=log
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _await_server(f"{address}/api?token={token}", server, home / "log")
        yield address, token
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _await_server(url, server, log):
    for _ in range(600):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()}")


class Lab:
    """A page with one notebook open.

    Args:
        page: Of Playwright.
        address: Of the server.
        token: The server's.
    """

    def __init__(self, page, address, token):
        self.page, self.address, self.token = page, address, token
        self.complaints = []
        page.on("pageerror", lambda fault: self.complaints.append(str(fault)))

    def open(self, notebook, *, kernel=True):
        """Open a notebook, and wait until its kernel is ready."""
        self.page.goto(f"{self.address}/lab/tree/{notebook}?token={self.token}&reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        if kernel:
            ready = f"() => {CURRENT}?.sessionContext?.session?.kernel?.status === 'idle'"
            self.page.wait_for_function(ready, timeout=60_000)

    def run_all(self, timeout_s=400):
        """Run all cells; fails with the first error that a cell shows."""
        self.start_all()
        self.page.wait_for_function(FINISHED, timeout=1000 * timeout_s)
        errors = self.page.evaluate(ERRORS)
        assert not errors, errors[0]

    def start_all(self):
        """Begin to run all cells."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")

    def save_and_forget(self):
        """Save the notebook, end its kernel, and load the page again."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        self.page.evaluate(f"() => {CURRENT}.sessionContext.shutdown()")
        self.page.goto(f"{self.address}/lab?token={self.token}&reset")
        self.page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)

    def widget(self, name):
        """Return the widget of a kind that the page shows; it scrolls there first."""
        found = self.page.locator(f".explore-live:has(.explore-{name})").first
        found.wait_for(state="visible", timeout=60_000)
        found.scroll_into_view_if_needed()
        return found

    def shot(self, name, part):
        """Keep a picture of a part of the page, for the eyes of people."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        part.screenshot(path=SCREENSHOTS / f"{name}.png")


CURRENT = "window.jupyterapp.shell.currentWidget"
_CODE = f"[...{CURRENT}.content.model.cells].filter(cell => cell.type === 'code')"
FINISHED = f"""() => {{
  const cells = {_CODE};
  const failed = cells.some(cell => cell.outputs.toJSON().some(one => one.output_type === 'error'));
  return failed || ({CURRENT}.sessionContext.session?.kernel?.status === 'idle'
    && cells.every(cell => cell.executionCount !== null || !cell.sharedModel.source.trim()));
}}"""
ERRORS = f"""() => {_CODE}.flatMap(cell => cell.outputs.toJSON())
  .filter(one => one.output_type === 'error').map(one => one.traceback.join('\\n'))"""
