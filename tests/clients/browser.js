// What a browser does around a page's own script: it sends the cookie of the API's host and the page's Origin, and
// keeps from the script what is not allowed for that origin. The cookie is where curl has put it.

import { readFileSync } from "node:fs";

const { GATEWAY, ORIGIN } = process.env;
const send = globalThis.fetch;

/** The cookies that curl has kept: lines of seven columns, the name and the value last. */
function cookies() {
  const lines = readFileSync("cookies.txt", "utf-8").split("\n").map((line) => line.split("\t"));
  return lines.filter((line) => line.length === 7).map((line) => `${line[5]}=${line[6]}`).join("; ");
}

globalThis.fetch = async (input, options) => {
  const request = new Request(input, options);
  request.headers.set("origin", ORIGIN);
  if (request.credentials === "include" && request.url.startsWith(GATEWAY)) request.headers.set("cookie", cookies());
  const answer = await send(request);
  const allowed = answer.headers.get("access-control-allow-origin");
  if (allowed !== ORIGIN && (allowed !== "*" || request.credentials === "include")) throw new TypeError("Failed to fetch");
  return answer;
};
