// <recsite-carousel placement="homepage" key="rp_…"> on a page of any origin that the key is for.
//
//   placement | type, item   what to show: a placement's list, or a kind of list (about an item)
//   key                      a publishable key; api: the API's address where it is not this module's origin
//   user, signature          who looks, signed by your server; without them an id that this browser makes for itself
//   limit, heading, lang     how many, another title, the visitor's language
//   consent="no"             stores nothing here or there; so do browsers that send GPC or Do-Not-Track
//
// What stands inside the element is shown while there is no list to show. It fires `recsite-load`, `recsite-error` and
// `recsite-click` (cancel it to open the item yourself). Style it by --recs-… properties and ::part(…).

const ORIGIN = new URL(import.meta.url).origin;
const TRIES = 4, WAIT_MS = 500, LONGEST_WAIT_MS = 30_000, PATIENCE_MS = 10_000;
const SEEN_SHARE = 0.5, SEEN_MS = 1000, SEND_EVERY_MS = 2000, MOST_WAITING = 500, A_BATCH = 50;
const VISITOR = "recsite-visitor";

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host { display: block; color: var(--recs-text, CanvasText); --_card: var(--recs-card, clamp(8.5rem, 30vw, 11.5rem));
  --_surface: var(--recs-surface, color-mix(in srgb, CanvasText 9%, Canvas)); --_radius: var(--recs-radius, .625rem);
  --_accent: var(--recs-accent, LinkText); --_muted: var(--recs-muted, color-mix(in srgb, CanvasText 66%, Canvas)); }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
.head { display: flex; align-items: center; justify-content: space-between; gap: 1rem; min-block-size: 2.5rem; }
h2 { margin: 0; font-size: 1.25rem; line-height: 1.3; font-weight: 650; overflow-wrap: anywhere; }
.buttons { display: flex; gap: .5rem; flex: none; }
button { inline-size: 2.5rem; block-size: 2.5rem; border: 0; border-radius: 50%; background: var(--_surface);
  color: inherit; font: inherit; cursor: pointer; }
button[aria-disabled=true] { opacity: .35; cursor: default; }
button span { display: inline-block; }
:host(:dir(rtl)) button span { scale: -1 1; }
ul { display: grid; grid-auto-flow: column; grid-auto-columns: var(--_card); justify-content: start;
  gap: var(--recs-gap, 1rem); list-style: none; margin: 0; padding: .5rem 0 .75rem; overflow-x: auto;
  overscroll-behavior-x: contain; scroll-snap-type: x proximity; scrollbar-width: thin; }
li { scroll-snap-align: start; min-inline-size: 0; }
a { display: block; color: inherit; text-decoration: none; border-radius: var(--_radius); }
a:focus-visible, button:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
a:hover .name { text-decoration: underline; text-underline-offset: .2em; }
.poster { display: grid; place-items: center; aspect-ratio: 2 / 3; overflow: hidden; border-radius: var(--_radius);
  background: var(--_surface); text-align: center; overflow-wrap: anywhere; padding: 0; }
.poster span { padding: 1rem; max-block-size: 100%; overflow: hidden; }
img { display: block; inline-size: 100%; block-size: 100%; object-fit: cover; }
.name, .reason { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden;
  overflow-wrap: anywhere; text-align: match-parent; }
.name { margin-block-start: .625rem; font-weight: 600; font-size: .9375rem; line-height: 1.3; min-block-size: 2.6em; }
.reason { margin: .2rem 0 0; color: var(--_muted); font-size: .8125rem; line-height: 1.4; min-block-size: 2.8em; }
@media (hover: none) { .buttons { display: none; } }
@media (prefers-reduced-motion: no-preference) { ul { scroll-behavior: smooth; } }
`);

const make = (tag, properties = {}, ...children) => {
  const { part, className = part ?? "", ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest, { className });
  if (part) element.setAttribute("part", part);
  element.append(...children);
  return element;
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const online = () => navigator.onLine ? undefined : new Promise((resolve) => addEventListener("online", resolve, { once: true }));

// Also where the page is no secure context, which has no randomUUID.
const uuid = () => crypto.randomUUID?.() ?? "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
  (+digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (+digit / 4)))).toString(16));

let visitor;
function visitorId() {
  try { visitor ??= localStorage.getItem(VISITOR) ?? undefined; } catch { /* Storage is refused: an id for this page. */ }
  if (visitor === undefined) {
    visitor = `visitor-${uuid()}`;
    try { localStorage.setItem(VISITOR, visitor); } catch { /* As above. */ }
  }
  return visitor;
}

/** What only a browser should open: no javascript:, data: or mailto:. */
function link(address, base) {
  if (!address) return undefined;
  try {
    const url = new URL(address, base);
    return ["http:", "https:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** Sends a request until it is answered for good: not after a refusal, later where the server says so or is away. */
async function ask(url, options) {
  for (let tried = 1; ; tried += 1) {
    await online();
    let answer;
    try {
      answer = await fetch(url, { ...options, credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch (error) {
      if (tried >= TRIES) throw error;
    }
    if (answer && (answer.ok || (answer.status < 500 && answer.status !== 429) || tried >= TRIES)) {
      if (answer.ok) return answer.json();
      throw new Error(`The recommender answered ${answer.status}.`);
    }
    const told = Number(answer?.headers.get("Retry-After")) * 1000;
    await pause(Math.min(told || WAIT_MS * 2 ** tried * (0.5 + Math.random()), LONGEST_WAIT_MS));
  }
}

/** Events on their way to one API with one key, for one user. An id each: sent twice, they count once. */
class Sender {
  constructor(url, headers) {
    Object.assign(this, { url, headers, waiting: [], timer: undefined, sending: false });
    addEventListener("online", () => this.send());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.send());
  }

  note(event, atOnce) {
    if (this.waiting.length >= MOST_WAITING) this.waiting.shift();
    this.waiting.push({ ...event, event_id: uuid(), timestamp: new Date().toISOString() });
    if (atOnce) this.send();
    else this.timer ??= setTimeout(() => this.send(), SEND_EVERY_MS);
  }

  async send() {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.sending || !this.waiting.length || !navigator.onLine) return;
    this.sending = true;
    const events = this.waiting.slice(0, A_BATCH);
    try {
      // Not sendBeacon, which cannot carry the key; kept alive, it outlives the page all the same.
      const answer = await fetch(this.url, {
        method: "POST",
        headers: { ...this.headers, "Content-Type": "application/json" },
        body: JSON.stringify({ events }),
        credentials: "omit",
        keepalive: true,
      });
      if (answer.status < 500 && answer.status !== 429) this.waiting.splice(0, events.length);
    } catch { /* They stay for the next time. */ }
    this.sending = false;
    if (this.waiting.length) this.timer ??= setTimeout(() => this.send(), SEND_EVERY_MS * 5);
  }
}

const senders = new Map();
function senderOf(url, headers) {
  const name = JSON.stringify([url, headers]);
  if (!senders.has(name)) senders.set(name, new Sender(url, headers));
  return senders.get(name);
}

class RecsiteCarousel extends HTMLElement {
  static observedAttributes = ["placement", "type", "item", "key", "api", "user", "signature", "limit", "heading", "consent"];
  #asked = 0;
  #near;
  #seen;

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
  }

  connectedCallback() {
    this.#near = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.#near.disconnect();
      this.#load();
    }, { rootMargin: "400px" });
    this.#skeleton();
    this.#near.observe(this);
  }

  disconnectedCallback() {
    this.#asked += 1;
    this.#near?.disconnect();
    this.#seen?.disconnect();
  }

  attributeChangedCallback(name, before, after) {
    if (this.isConnected && this.#near && before !== after) {
      this.disconnectedCallback();
      this.connectedCallback();
    }
  }

  /** Asks for the list again. */
  refresh() {
    return this.#load();
  }

  get #refuses() {
    return this.getAttribute("consent") === "no" || navigator.globalPrivacyControl === true || navigator.doNotTrack === "1";
  }

  #request() {
    const of = (name) => this.getAttribute(name) ?? "";
    const api = new URL(of("api") || "/api/v1/", ORIGIN).href.replace(/\/?$/, "/");
    const user = this.#refuses ? "visitor-00000000-0000-4000-8000-000000000000" : of("user") || visitorId();
    const headers = { Authorization: `Api-Key ${of("key")}` };
    if (of("signature") && !this.#refuses) headers["X-User-Signature"] = of("signature");
    const url = new URL(`recommendations/${encodeURIComponent(user)}`, api);
    const asked = { context: of("placement"), type: of("type"), item_id: of("item"), limit: of("limit") };
    asked.language = this.closest("[lang]")?.lang ?? "";
    for (const [name, value] of Object.entries(asked)) if (value) url.searchParams.set(name, value);
    url.searchParams.set("expand", "item");
    if (this.#refuses) url.searchParams.set("consent", "0");
    return { api, user, headers, url: url.href };
  }

  async #load() {
    const asked = (this.#asked += 1);
    const request = this.#request();
    let list;
    try {
      list = await ask(request.url, { headers: request.headers });
    } catch (error) {
      if (asked === this.#asked) this.#fail(error);
      return;
    }
    if (asked !== this.#asked) return;
    if (list.recommendations.length) this.#show(list, request);
    else this.#fail(new Error("The list is empty."));
  }

  #fail(error) {
    this.shadowRoot.replaceChildren(make("slot"));
    this.dispatchEvent(new CustomEvent("recsite-error", { detail: { error }, bubbles: true, composed: true }));
  }

  #skeleton() {
    const cards = Array.from({ length: 6 }, () => make("li", {}, make("div", { className: "poster" }),
      make("span", { className: "name" }), make("span", { className: "reason" })));
    const head = make("div", { className: "head" }, make("h2", { textContent: this.getAttribute("heading") ?? "" }));
    const list = make("ul", { ariaHidden: "true" }, ...cards);
    this.shadowRoot.replaceChildren(make("slot", { hidden: true }), head, list);
  }

  #show(answer, request) {
    const title = this.getAttribute("heading") ?? answer.title;
    const heading = make("h2", { part: "heading", id: "heading", textContent: title, dir: "auto" });
    const cards = answer.recommendations.map((one, position) => this.#card(one, position, request.api));
    const list = make("ul", { part: "list", role: "list" }, ...cards);
    list.setAttribute("aria-labelledby", "heading");
    const head = make("div", { className: "head" }, heading);
    this.shadowRoot.replaceChildren(head, list);
    this.#addButtons(head, list, title);
    this.#addKeys(list);
    this.#report(answer, request, cards, list);
    const detail = { requestId: answer.request_id, items: answer.recommendations.map((one) => one.item_id) };
    this.dispatchEvent(new CustomEvent("recsite-load", { detail, bubbles: true, composed: true }));
  }

  #card(one, position, api) {
    const title = one.item.title || one.item_id;
    const poster = make("div", { part: "poster" });
    const image = link(one.item.image_url, api);
    const blank = () => poster.replaceChildren(make("span", { textContent: title, ariaHidden: "true", dir: "auto" }));
    if (image) {
      const picture = make("img", { alt: "", loading: "lazy", decoding: "async", width: 200, height: 300, src: image });
      picture.addEventListener("error", blank);
      poster.append(picture);
    } else blank();
    const address = link(one.item.url, api);
    const name = make("span", { part: "name", textContent: title, dir: "auto" });
    const anchor = make("a", { part: "link" }, poster, name);
    if (address) anchor.href = address;
    const card = make("li", { part: "card" }, anchor);
    if (one.reason) card.append(make("p", { part: "reason", textContent: one.reason, dir: "auto" }));
    return Object.assign(card, { recommendation: one, position });
  }

  #addButtons(head, list, title) {
    const sign = () => (getComputedStyle(list).direction === "rtl" ? -1 : 1);
    const button = (label, symbol, pages) => {
      const element = make("button", { part: "button", type: "button" }, make("span", { textContent: symbol }));
      element.setAttribute("aria-label", `${label}: ${title}`);
      element.addEventListener("click", () => {
        if (element.getAttribute("aria-disabled") !== "true") list.scrollBy({ left: sign() * pages * list.clientWidth * 0.85 });
      });
      return element;
    };
    const previous = button("Previous", "‹", -1), next = button("Next", "›", 1);
    const buttons = make("div", { className: "buttons" }, previous, next);
    head.append(buttons);
    const update = () => {
      const scrolled = Math.abs(list.scrollLeft), room = list.scrollWidth - list.clientWidth;
      buttons.hidden = room < 4;
      previous.setAttribute("aria-disabled", String(scrolled < 4));
      next.setAttribute("aria-disabled", String(scrolled > room - 4));
    };
    list.addEventListener("scroll", () => requestAnimationFrame(update), { passive: true });
    new ResizeObserver(update).observe(list);
  }

  #addKeys(list) {
    list.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const links = [...list.querySelectorAll("a[href]")], here = links.indexOf(event.target.closest("a"));
      const step = getComputedStyle(list).direction === "rtl" ? -1 : 1;
      const goal = { ArrowRight: here + step, ArrowLeft: here - step, Home: 0, End: links.length - 1 }[event.key];
      if (here < 0 || links[goal] === undefined) return;
      event.preventDefault();
      links[goal].focus();
    });
  }

  #report(answer, request, cards, list) {
    const sender = this.#refuses ? undefined : senderOf(new URL("events", request.api).href, request.headers);
    const note = (card, type, atOnce) => sender?.note({
      user_id: request.user,
      item_id: card.recommendation.item_id,
      event_type: type,
      request_id: answer.request_id,
      context: { source: answer.placement || this.getAttribute("type") || "carousel", position: card.position },
    }, atOnce);
    const clocks = new Map();
    this.#seen?.disconnect();
    this.#seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        clearTimeout(clocks.get(target));
        if (isIntersecting) clocks.set(target, setTimeout(() => { this.#seen.unobserve(target); note(target, "impression"); }, SEEN_MS));
      }
    }, { threshold: SEEN_SHARE });
    cards.forEach((card) => this.#seen.observe(card));
    const opens = (event) => {
      const card = event.target.closest("li");
      if (!card || !event.target.closest("a") || event.button > 1) return;
      note(card, "click", true);
      const detail = { recommendation: card.recommendation, requestId: answer.request_id, position: card.position };
      const opened = new CustomEvent("recsite-click", { detail, bubbles: true, composed: true, cancelable: true });
      if (!this.dispatchEvent(opened)) event.preventDefault();
    };
    list.addEventListener("click", opens);
    list.addEventListener("auxclick", opens);
  }
}

if (!customElements.get("recsite-carousel")) customElements.define("recsite-carousel", RecsiteCarousel);
