// On a phone, rows of these tables are laid out as blocks, and then browsers forget that they are tables. This reminds them.
const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell", TH: "columnheader" };
const remind = (root) => root.querySelectorAll(".matrix, .oracles, .owned, .bars").forEach((table) => {
  [table, ...table.querySelectorAll("thead, tbody, tr, td, th")].forEach((each) => {
    each.setAttribute("role", each.scope?.startsWith("row") ? "rowheader" : roles[each.tagName]);
  });
});
remind(document);
