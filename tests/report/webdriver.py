# SPDX-License-Identifier: MIT
"""A headless Chromium of our own, by way of chromedriver and the WebDriver protocol; standard library only."""
import json
import re
import shutil
import subprocess
import tempfile
import urllib.request

SECONDS_MAX = 60
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--force-device-scale-factor=1", "--no-first-run", "--disable-extensions", "--disable-background-networking",
             "--disable-component-update", "--disable-sync")


class Browser:
    """With `with`: the browser, its driver and its profile go away together."""

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="smmusim-browser-")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       text=True)
        try:
            self.base = f"http://127.0.0.1:{self._port()}"
            options = {"args": [*ARGUMENTS, f"--user-data-dir={self.profile}"]}
            answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})
        except BaseException:
            self._end_driver()
            raise
        self.base += f"/session/{answer['sessionId']}"
        return self

    def __exit__(self, *_):
        try:
            self._call("DELETE", "")
        finally:
            self._end_driver()

    def _port(self):
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found.group(1))
        raise RuntimeError("chromedriver ended before it listened")

    def _end_driver(self):
        self.driver.terminate()
        self.driver.wait(timeout=SECONDS_MAX)
        self.driver.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:
            return json.load(answer)["value"]

    def devtools(self, command, **parameters):
        """One command of the DevTools protocol."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def show(self, width, height, dark):
        """Size of the window and preference of colours, for what is opened or open."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url):
        """Opens the page and waits for its load event; what was logged before is dropped."""
        self.console()
        self.requests()
        self._call("POST", "/url", {"url": url})

    def run(self, script):
        """What the body of a function returns in the page."""
        return self._call("POST", "/execute/sync", {"script": script, "args": []})

    def console(self):
        """What the console has said since the last call."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def requests(self):
        """The addresses that the page has asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self._call("POST", "/se/log", {"type": "performance"})]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def screenshot(self):
        """The whole page as PNG, in base64."""
        return self.devtools("Page.captureScreenshot", captureBeyondViewport=True)["data"]
