// Adds previous/next buttons and arrow keys to the rows of recommender/carousel.html, which work without them.

const still = matchMedia("(prefers-reduced-motion: reduce)");

function enhance(row) {
  const list = row.querySelector(".recs-list");
  const head = row.querySelector(".recs-head");
  if (!list || !head || row.dataset.recs === "ready") return;
  row.dataset.recs = "ready";

  const isRightToLeft = () => getComputedStyle(list).direction === "rtl";
  const scrollBy = (pages) => {
    const distance = Math.max(list.clientWidth * 0.85, 120) * pages;
    list.scrollBy({ left: isRightToLeft() ? -distance : distance, behavior: still.matches ? "auto" : "smooth" });
  };

  const title = row.querySelector(".recs-title")?.textContent ?? "";
  const button = (direction, label, pages) => {
    const element = document.createElement("button");
    element.type = "button";
    element.className = "recs-button";
    element.dataset.direction = direction;
    element.setAttribute("aria-label", `${label}: ${title}`);
    // Not `disabled`: a button that loses focus while it is being pressed strands keyboard users.
    element.addEventListener("click", () => element.getAttribute("aria-disabled") !== "true" && scrollBy(pages));
    return element;
  };
  const previous = button("previous", "Previous", -1);
  const next = button("next", "Next", 1);
  const buttons = document.createElement("div");
  buttons.className = "recs-buttons";
  buttons.append(previous, next);
  head.append(buttons);

  const update = () => {
    const scrolled = Math.abs(list.scrollLeft);
    const room = list.scrollWidth - list.clientWidth;
    buttons.hidden = room < 4;
    previous.setAttribute("aria-disabled", String(scrolled < 4));
    next.setAttribute("aria-disabled", String(scrolled > room - 4));
  };
  list.addEventListener("scroll", () => requestAnimationFrame(update), { passive: true });
  new ResizeObserver(update).observe(list);

  list.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!event.target.matches(".recs-link")) return;
    const links = [...list.querySelectorAll(".recs-link")];
    const here = links.indexOf(event.target);
    const forward = isRightToLeft() ? "ArrowLeft" : "ArrowRight";
    const backward = isRightToLeft() ? "ArrowRight" : "ArrowLeft";
    const goal = { [forward]: here + 1, [backward]: here - 1, Home: 0, End: links.length - 1 }[event.key];
    if (links[goal] === undefined) return;
    event.preventDefault();
    links[goal].focus();
  });
}

document.querySelectorAll("[data-recs]").forEach(enhance);
// Rows that come later, by htmx.
document.addEventListener("htmx:load", ({ target }) => {
  const rows = [...target.querySelectorAll("[data-recs]")];
  if (target.matches("[data-recs]")) rows.push(target);
  rows.forEach(enhance);
});
