// Colours: as the system has them, or as chosen; light on paper. And which part of the page is being read.
(() => {
  const root = document.documentElement;
  const buttons = document.querySelectorAll("[data-theme-choice]");
  const kept = {
    // A page that was opened from a file may not be allowed to keep anything.
    get: () => { try { return localStorage.getItem("twinloop-theme"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("twinloop-theme", value); } catch { /* then not */ } },
  };
  const show = (choice) => {
    if (choice === "auto") root.removeAttribute("data-theme"); else root.dataset.theme = choice;
    buttons.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.themeChoice === choice)));
  };
  let choice = kept.get() || "auto";
  show(choice);
  buttons.forEach((each) => each.addEventListener("click", () => { choice = each.dataset.themeChoice; kept.set(choice); show(choice); }));
  addEventListener("beforeprint", () => show("light"));
  addEventListener("afterprint", () => show(choice));
  document.querySelectorAll(".theme, .filters, .tools, .copy").forEach((each) => { each.hidden = false; });

  const links = new Map([...document.querySelectorAll(".contents a")].map((each) => [each.hash.slice(1), each]));
  const sections = [...document.querySelectorAll("main > section[id]")];
  const mark = () => {
    const past = sections.filter((each) => each.getBoundingClientRect().top < innerHeight / 3);
    const now = past.length ? past[past.length - 1].id : "";
    links.forEach((link, id) => { if (id === now) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current"); });
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
})();
