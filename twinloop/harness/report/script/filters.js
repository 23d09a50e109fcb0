// The matrix's filters; and scenarios that open when a link leads to them.
(() => {
  const form = document.querySelector(".filters");
  if (form) {
    const rows = [...document.querySelectorAll(".matrix tr.row")];
    const apply = () => {
      const { text, set, outcome } = form.elements;
      const words = text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((row) => {
        const said = row.dataset.text.toLowerCase();
        row.hidden = !(words.every((word) => said.includes(word))
          && (set.value === "all" || row.parentElement.dataset.set === set.value)
          && (outcome.value === "all" || row.dataset.outcome === outcome.value));
      });
      document.querySelectorAll(".matrix tbody").forEach((body) => { body.hidden = !body.querySelector("tr.row:not([hidden])"); });
      const left = rows.filter((row) => !row.hidden).length;
      form.querySelector(".shown").textContent = left === rows.length ? `${left} scenarios` : `${left} of ${rows.length} scenarios`;
      document.querySelector(".nothing").hidden = left > 0;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    document.querySelector(".reset").addEventListener("click", () => { form.reset(); apply(); });
    document.querySelectorAll("[data-show]").forEach((link) => link.addEventListener("click", () => {
      form.reset();
      form.elements.outcome.value = link.dataset.show;
      apply();
    }));
    apply();
  }

  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement && target.matches(".scenario")) { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", reveal);
  reveal();
  const all = (open) => () => document.querySelectorAll("details.scenario").forEach((each) => { each.open = open; });
  document.querySelector(".open-all")?.addEventListener("click", all(true));
  document.querySelector(".close-all")?.addEventListener("click", all(false));
})();
