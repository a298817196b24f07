// Fields of class item-picker (catalog/item_picker.py): select2 with posters. Texts are set as texts, never as HTML.
"use strict";
{
  const $ = django.jQuery;

  function poster(address, title) {
    const empty = () => {
      const drawn = document.createElement("span");
      drawn.className = "item-picker-poster";
      drawn.textContent = (title.trim()[0] || "?").toUpperCase();
      return drawn;
    };
    if (!address) {
      return empty();
    }
    const image = document.createElement("img");
    image.className = "item-picker-poster";
    image.alt = "";
    image.loading = "lazy";
    image.referrerPolicy = "no-referrer";
    image.addEventListener("error", () => image.replaceWith(empty()));
    image.src = address;
    return image;
  }

  // `item` comes from the server (image, note) or from the page's own option (element).
  function drawn(item) {
    if (!item.id) {
      return item.text;
    }
    const data = item.element ? item.element.dataset : {};
    const line = document.createElement("span");
    line.className = "item-picker-line";
    const words = document.createElement("span");
    words.className = "item-picker-words";
    const title = document.createElement("strong");
    title.textContent = item.text;
    const note = document.createElement("small");
    note.textContent = item.note || data.note || "";
    words.append(title, note);
    line.append(poster(item.image || data.image || "", item.text), words);
    return line;
  }

  function start(fields) {
    fields.each((_, field) => {
      $(field).select2({
        ajax: { url: field.dataset.url, delay: 150, data: (asked) => ({ term: asked.term || "" }) },
        allowClear: !field.required,
        placeholder: field.dataset.placeholder,
        templateResult: drawn,
        templateSelection: drawn,
        width: "100%",
      });
    });
  }

  $(() => start($(".item-picker").not("[name*=__prefix__]")));
  document.addEventListener("formset:added", (event) => start($(event.target).find(".item-picker")));
}
