// A new user signs in, makes a habit, is refused another, and reads a page. What was answered is printed as JSON.

import createClient from "openapi-fetch";
import type { paths } from "./questlog.d.ts";

declare const process: { argv: string[] };
const [gateway, name] = process.argv.slice(2) as [string, string];

/** The cookies that an answer sets, as a request sends them. */
function cookies(answer: Response): string {
  return answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
}

/** The session cookie of whoever has this name at the local identity provider. A browser follows these three by itself. */
async function signIn(sub: string): Promise<string> {
  const asked = await fetch(`${gateway}/auth/signin/google`, { redirect: "manual" });
  const form = { method: "POST", body: new URLSearchParams({ sub }), redirect: "manual" } as const;
  const agreed = await fetch(asked.headers.get("location")!, form);
  const cookie = cookies(asked);
  return cookies(await fetch(agreed.headers.get("location")!, { headers: { cookie }, redirect: "manual" }));
}

const browser = createClient<paths>({ baseUrl: gateway, headers: { cookie: await signIn(name) } });
await browser.POST("/auth/accept-tos", { body: { accepted: true } });
const token = await browser.POST("/auth/sessions", { body: { name: "program.ts" } });
if (!token.data) throw new Error(token.error.error.message);

const api = createClient<paths>({ baseUrl: gateway, headers: { authorization: `Bearer ${token.data.data.token}` } });
const before = await api.GET("/habits");
const made = await api.POST("/habits", { body: { name: "Read ten pages" } });
// @ts-expect-error A habit has no such field: what is answered has the types of the document.
made.data?.data.nothing;
const refused = await api.POST("/habits", { body: { name: "" } });
// @ts-expect-error Nor is this among the types of error that the document lists for this route.
if (refused.error?.error.type === "nothing") throw new Error();
for (const title of ["Emma", "Persuasion", "Sanditon"]) await api.POST("/books", { body: { title } });
const page = await api.GET("/books", { params: { query: { page: 2, page_size: 2, sort: "title" } } });

console.log(JSON.stringify({
  before: before.data?.data.habits.length,
  made: made.data?.data.name,
  refused: [refused.error?.error.type, refused.error?.error.details],
  page: [page.data?.data.books.map((book) => book.title), page.data?.data.total],
}));
