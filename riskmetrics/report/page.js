"use strict";
// Without this script the page shows the same: charts as pictures, and tables in their order.
(() => {
  const number = (cell) => {
    const text = cell.dataset.value ?? cell.textContent.trim();
    const value = text === "" ? NaN : Number(text);
    return Number.isNaN(value) ? text.toLowerCase() : value;
  };
  const compare = (one, other) => {
    if (typeof one === typeof other) return one < other ? -1 : one > other ? 1 : 0;
    return typeof one === "number" ? -1 : 1; // what is missing comes last
  };

  function makeSortable(table) {
    const body = table.tBodies[0];
    table.querySelectorAll("thead th:not(.chart)").forEach((heading) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const column = heading.cellIndex;
        const isDown = heading.getAttribute("aria-sort") !== "descending";
        for (const each of table.querySelectorAll("th[aria-sort]")) each.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", isDown ? "descending" : "ascending");
        const key = (row) => number(row.cells[column]);
        body.append(
          ...[...body.rows].sort((one, other) => {
            const [a, b] = [key(one), key(other)];
            const isMixed = typeof a !== typeof b;
            return isMixed || !isDown ? compare(a, b) : -compare(a, b);
          }),
        );
        table.dispatchEvent(new Event("reordered"));
      });
    });
  }

  function makeSearchable(table) {
    const field = document.createElement("input");
    field.type = "search";
    field.placeholder = "Search";
    field.setAttribute("aria-label", `Search ${table.dataset.name}`);
    field.addEventListener("input", () => {
      table.dataset.search = field.value.trim().toLowerCase();
      table.dispatchEvent(new Event("reordered"));
    });
    (table.closest(".wide") ?? table).before(field);
  }

  // The folded rows join the table, so that sorting and searching see all of them. A table with
  // `data-shown` has all of its rows, of which so many are shown.
  function unfold(table) {
    const folded = document.getElementById(table.dataset.others);
    const rows = table.tBodies[0].rows;
    const shown = Math.min(rows.length, table.dataset.shown ?? rows.length);
    const others = folded?.querySelector("summary").textContent ?? `${rows.length - shown} others`;
    if (folded) table.tBodies[0].append(...folded.querySelector("tbody").rows);
    const isLong = rows.length > shown;
    let isFolded = true;
    const button = document.createElement("button");
    if (isLong) {
      button.type = "button";
      button.className = "fold";
      button.textContent = others;
      button.setAttribute("aria-expanded", "false");
      button.addEventListener("click", () => {
        isFolded = !isFolded;
        button.setAttribute("aria-expanded", String(!isFolded));
        table.dispatchEvent(new Event("reordered"));
      });
      if (folded) folded.replaceWith(button);
      else table.after(button);
    }
    const apply = () => {
      const search = table.dataset.search ?? "";
      [...table.tBodies[0].rows].forEach((row, place) => {
        const isFound = row.textContent.toLowerCase().includes(search);
        row.hidden = !isFound || (isLong && isFolded && !search && place >= shown);
      });
    };
    table.addEventListener("reordered", apply);
    apply();
  }

  // On a phone the parts of a portfolio are folded; links, searches and printing open them.
  const parts = [...document.querySelectorAll("details.part")];
  const phone = window.matchMedia("(max-width: 36rem)");
  const foldParts = () => parts.forEach((part) => (part.open = !phone.matches));
  const showTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    let part = target?.closest("details");
    for (; part; part = part.parentElement.closest("details")) part.open = true;
    target?.scrollIntoView();
  };
  let wereOpen = [];
  foldParts();
  showTarget();
  phone.addEventListener("change", foldParts);
  window.addEventListener("hashchange", showTarget);
  window.addEventListener("beforeprint", () => {
    wereOpen = parts.map((part) => part.open);
    parts.forEach((part) => (part.open = true));
  });
  window.addEventListener("afterprint", () =>
    parts.forEach((part, place) => (part.open = wereOpen[place])),
  );

  // What scrolls sideways is reached by the keyboard, with the name of its table.
  const scrolled = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const names = target.querySelector("table").getAttribute("aria-labelledby");
      const isCut = target.scrollWidth > target.clientWidth;
      for (const [name, value] of Object.entries({
        tabindex: "0",
        role: "group",
        "aria-labelledby": names,
      })) {
        if (isCut) target.setAttribute(name, value);
        else target.removeAttribute(name);
      }
    }
  });
  document.querySelectorAll(".wide").forEach((each) => scrolled.observe(each));

  for (const table of document.querySelectorAll("table.sortable")) {
    unfold(table);
    makeSortable(table);
    if (table.tBodies[0].rows.length > 10) makeSearchable(table);
  }

  // The libraries of the charts are compressed, and are read when the first chart is visible.
  async function loadLibraries() {
    const packed = atob(document.getElementById("libraries").textContent);
    const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(unpacked).text();
    document.head.append(script);
  }
  let loading = null;

  async function draw(figure) {
    await (loading ??= loadLibraries());
    const picture = figure.querySelector("svg");
    const specification = JSON.parse(figure.querySelector("script").textContent);
    const columns = Object.entries(specification.data.values); // rows, as vl-convert gets them
    specification.data.values = columns[0][1].map((_, place) =>
      Object.fromEntries(columns.map(([name, values]) => [name, values[place]])),
    );
    const box = picture.getBoundingClientRect();
    const target = document.createElement("div");
    target.className = "drawing";
    Object.assign(specification, { width: Math.floor(box.width), height: Math.floor(box.height) });
    const options = { actions: false, renderer: "svg", ast: true, logLevel: 1 }; // only errors
    await window.vegaEmbed(target, specification, options);
    const drawn = target.querySelector("svg");
    drawn.querySelectorAll("[role]").forEach((each) => each.removeAttribute("role")); // one image
    drawn.setAttribute("role", "img");
    drawn.setAttribute("aria-label", picture.getAttribute("aria-label"));
    picture.replaceWith(target);
  }

  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries.filter((each) => each.isIntersecting)) {
        observer.unobserve(entry.target);
        draw(entry.target).catch((error) => console.error(error)); // the picture stays
      }
    },
    { rootMargin: "300px" },
  );
  if ("DecompressionStream" in window) {
    for (const figure of document.querySelectorAll("figure.plot")) observer.observe(figure);
  }
})();
