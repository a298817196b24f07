// Loads the rows of recommender/late.html, by htmx, when the reader comes near them: none shows what the page shows by
// then. It tells the server so by a cookie; without it, as where no script runs, rows are on the page at once.

const NEAR = "600px";

function loadLate() {
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      htmx.trigger(target, "recs-near");
    }
  }, { rootMargin: NEAR });

  htmx.onLoad((added) => {
    for (const row of added.querySelectorAll(".recs-late")) near.observe(row);
  });

  // A list of each group repeats nothing of its own group, nor of what the page shows outside of rows.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const row = detail.elt.closest(".recs-late");
    if (!row) return;
    const stands = [...document.querySelectorAll("[data-item-id]")].filter((card) => {
      const section = card.closest(".recs");
      return !section || section.dataset.dedupeGroup === row.dataset.dedupeGroup;
    });
    detail.parameters.shown = stands.map((card) => card.dataset.itemId);
  });

  // Where the server is away the row goes, rather than to wait for ever.
  for (const failed of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failed, ({ detail }) => detail.elt.closest(".recs-late")?.remove());
  }
}

const canLoad = "htmx" in window && "IntersectionObserver" in window;
document.cookie = `recs-late=${canLoad ? 1 : 0}; path=/; max-age=86400; samesite=lax`;
if (canLoad) loadLate();
