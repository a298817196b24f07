// Small comforts of the site; every page works without them.

// A card that is taken off the page hands the focus to its neighbour.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const card = detail.target.closest?.(".recs-card");
  if (!card || !detail.shouldSwap) return;
  const neighbour = card.nextElementSibling ?? card.previousElementSibling;
  const goal = neighbour?.querySelector(".recs-link") ?? document.querySelector("#main");
  requestAnimationFrame(() => goal.focus({ preventScroll: true }));
});

// A filter's list closes when the reader goes elsewhere, or presses Escape.
const filters = [...document.querySelectorAll(".filter")];
const closeOthers = (kept) => filters.forEach((one) => one !== kept && one.removeAttribute("open"));
document.addEventListener("click", ({ target }) => closeOthers(target.closest(".filter")));
document.addEventListener("keydown", ({ key, target }) => {
  const open = key === "Escape" ? target.closest?.(".filter[open]") : null;
  if (!open) return;
  open.removeAttribute("open");
  open.querySelector("summary").focus();
});

for (const block of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button quiet small copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  block.append(button);
}
