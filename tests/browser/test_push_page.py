"""The sample of push messages in a real browser: it subscribes, gets a message, shows it, and unsubscribes.

A vendor's push service cannot be had in a test, so the browser's PushManager is replaced by one whose push service is
on this machine. All else is real: the permission, the service worker, the API, its sender, the encryption.
"""

import json
import time
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Page, expect

from tests.browser.test_front_end import CALL
from tests.notifications.browsers import Browser, serving

# One worker has the browser and the stack.
pytestmark = pytest.mark.xdist_group("browser")

# A function starts at its first request, which takes long on a busy machine.
expect.set_options(timeout=120_000)

# Replaces what asks the vendor's push service. As the real one does, it refuses a subscription that shows nothing, and
# a second one with another key (W3C's Push API, subscribe()).
PUSH_MANAGER = """
let current = null;
window.subscribedWith = null;
PushManager.prototype.getSubscription = async () => current;
PushManager.prototype.subscribe = async ({userVisibleOnly, applicationServerKey}) => {
  if (!userVisibleOnly) throw new DOMException("shows nothing", "NotAllowedError");
  if (current && subscribedWith !== applicationServerKey) throw new DOMException("another key", "InvalidStateError");
  subscribedWith = applicationServerKey;
  return current ??= {toJSON: () => (SUBSCRIPTION), unsubscribe: async () => (current = null, true)};
};
"""
SHOWN = """
async () => {
  const [shown] = await (await navigator.serviceWorker.ready).getNotifications();
  return shown && {title: shown.title, body: shown.body, tag: shown.tag, path: shown.data.path};
}
"""
# Opening a window takes a user's click, which no test can make outside a page.
CLICK = """
async () => {
  const [notification] = await self.registration.getNotifications();
  const opened = new Promise(resolve => { self.clients.openWindow = async path => resolve(path); });
  self.dispatchEvent(new NotificationEvent("notificationclick", {notification}));
  return [await opened, (await self.registration.getNotifications()).length];
}
"""


def opened(visitor: BrowserContext, gateway: str) -> Page:
    """The sample, by its link on the start page."""
    page = visitor.new_page()
    page.goto(gateway)
    page.get_by_role("link", name="Push messages").click()
    page.wait_for_url(f"{gateway}/__push")
    return page


def signed_in(visitor: BrowserContext, gateway: str, name: str) -> Page:
    """The sample, for a user who has accepted the terms."""
    page = visitor.new_page()
    page.goto(f"{gateway}/auth/signin/google?redirect_uri={gateway}/")
    page.locator("input[name=sub]").fill(name)
    page.locator("input[name=sub]").press("Enter")
    page.wait_for_url(f"{gateway}/")
    page.get_by_role("button", name="Accept the terms").click()
    expect(page.get_by_role("button", name="Accept the terms")).to_have_count(0)
    page.close()
    return opened(visitor, gateway)


def press(page: Page, button: str, outcome: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("status")).to_have_text(outcome)


def arrived(page: Page, service: Browser) -> dict[str, Any]:
    """The message that came to the push service, decrypted as the browser does it."""
    deadline = time.monotonic() + 120
    while not service.arrived:
        assert time.monotonic() < deadline, "no message came"
        page.wait_for_timeout(100)
    [message] = service.shown()
    return message


def deliver(page: Page, gateway: str, message: dict[str, Any]) -> None:
    """Hand a message to the page's service worker, as the browser does when its push service sends one."""
    session: CDPSession = page.context.new_cdp_session(page)
    registrations: list[dict[str, Any]] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda event: registrations.extend(event["registrations"]))
    session.send("ServiceWorker.enable")
    while not registrations:
        page.wait_for_timeout(50)
    registration = registrations[0]
    assert registration["scopeURL"] == f"{gateway}/__push"
    session.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": gateway, "registrationId": registration["registrationId"], "data": json.dumps(message)},
    )


def shown(page: Page) -> dict[str, Any]:
    """The notification that the service worker has put on the screen."""
    deadline = time.monotonic() + 120
    while (notification := page.evaluate(SHOWN)) is None:
        assert time.monotonic() < deadline, "nothing was shown"
        page.wait_for_timeout(50)
    found: dict[str, Any] = notification
    return found


def test_a_browser_subscribes_is_sent_to_and_unsubscribes(visitor: BrowserContext, gateway: str) -> None:
    visitor.grant_permissions(["notifications"], origin=gateway)
    with serving() as service:
        visitor.add_init_script(PUSH_MANAGER.replace("SUBSCRIPTION", json.dumps(service.subscription())))
        page = signed_in(visitor, gateway, "lamarr")
        listed = page.get_by_role("list", name="Browsers that take your messages").get_by_role("listitem")
        press(page, "Send a test message", "Nothing takes your messages. Subscribe this browser first.")

        page.evaluate("PushManager.prototype.subscribe({userVisibleOnly: true, applicationServerKey: 'of before'})")
        press(page, "Subscribe this browser", "This browser is subscribed.")
        key = page.evaluate(CALL, [f"{gateway}/notifications/key", {}])["json"]["data"]["public_key"]
        assert page.evaluate("subscribedWith") == key
        expect(listed).to_have_text(["This browser: no message yet"])
        # The same browser again is no second one.
        press(page, "Subscribe this browser", "This browser is subscribed.")
        expect(listed).to_have_text(["This browser: no message yet"])

        press(
            page,
            "Send a test message",
            "A test message is on its way. It arrives within seconds here, and within a minute on AWS.",
        )
        message = arrived(page, service)
        assert (message["title"], message["path"]) == ("Notifications work", "/hub")

        deliver(page, gateway, message)
        assert shown(page) == message
        [worker] = visitor.service_workers
        assert worker.evaluate(CLICK) == ["/hub", 0]

        press(page, "Unsubscribe this browser", "This browser is not subscribed any more.")
        expect(listed).to_have_count(0)
        assert page.evaluate("PushManager.prototype.getSubscription()") is None
        answer = page.evaluate(CALL, [f"{gateway}/notifications/subscriptions", {}])
        assert answer["json"]["data"] == {"subscriptions": []}


def test_what_goes_wrong_is_said_in_a_sentence(visitor: BrowserContext, gateway: str) -> None:
    stranger = opened(visitor, gateway)
    expect(stranger.get_by_role("status")).to_have_text(
        "You are not signed in. Sign in on the start page, and come back."
    )
    stranger.close()
    page = signed_in(visitor, gateway, "antheil")
    press(
        page,
        "Subscribe this browser",
        "The browser does not allow notifications. Allow them in its settings of this page.",
    )
    # The real PushManager, which finds no push service.
    visitor.grant_permissions(["notifications"], origin=gateway)
    page.reload()
    press(
        page,
        "Subscribe this browser",
        "The push service of this browser cannot be reached. Is this machine online?",
    )
    answer = page.evaluate(CALL, [f"{gateway}/notifications/subscriptions", {}])
    assert answer["json"]["data"] == {"subscriptions": []}
