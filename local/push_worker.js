// The service worker that shows push messages. Copy it to your front end, and register it where push_page.html does.
// A message is JSON: title, body, tag (a second copy replaces the first on the screen), and path, a page of the front end.

self.addEventListener("push", event => {
  const { title, body, tag, path } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { body, tag, data: { path } }));
});

self.addEventListener("notificationclick", event => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data.path));
});
