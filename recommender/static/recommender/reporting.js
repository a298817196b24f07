// Tells which cards of recommender/carousel.html were really seen and which were opened, a batch at a time, by
// sendBeacon. Rows of nobody in particular carry no note and are not told of; nor is anything by a browser that sends
// Global Privacy Control or Do-Not-Track.

const SEEN_SHARE = 0.5, SEEN_MS = 1000, SEND_EVERY_MS = 3000, MOST_CARDS = 200;

const address = document.querySelector('meta[name="recs-report"]')?.content;
const refuses = navigator.globalPrivacyControl === true || navigator.doNotTrack === "1";
const waiting = new Map();
let timer;

function add(card, what) {
  const note = card.closest("[data-note]")?.dataset.note;
  // Turned away within the second it takes to be seen.
  if (!note) return;
  if (!waiting.has(note)) waiting.set(note, { note, seen: [], opened: [] });
  const list = waiting.get(note);
  list[what].push({ item_id: card.dataset.itemId, position: Number(card.dataset.position) });
  if (list.seen.length + list.opened.length >= MOST_CARDS) send();
  else timer ??= setTimeout(send, SEND_EVERY_MS);
}

function send() {
  clearTimeout(timer);
  timer = undefined;
  if (!waiting.size) return;
  const lists = [...waiting.values()];
  waiting.clear();
  navigator.sendBeacon(address, new Blob([JSON.stringify({ lists })], { type: "application/json" }));
}

if (address && !refuses) {
  const clocks = new Map(), seen = new WeakSet();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(clocks.get(target));
      if (!isIntersecting) continue;
      clocks.set(target, setTimeout(() => { watcher.unobserve(target); seen.add(target); add(target, "seen"); }, SEEN_MS));
    }
  }, { threshold: SEEN_SHARE });
  const watch = (root) => {
    for (const card of root.querySelectorAll("[data-note] [data-item-id]")) if (!seen.has(card)) watcher.observe(card);
  };
  watch(document);
  document.addEventListener("htmx:load", ({ target }) => watch(target));
  for (const event of ["click", "auxclick"]) {
    document.addEventListener(event, ({ target, button }) => {
      const card = target.closest?.(".recs-link")?.closest("[data-note] [data-item-id]");
      if (!card || button > 1) return;
      add(card, "opened");
      send();
    });
  }
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && send());
}
