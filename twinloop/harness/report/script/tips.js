// The one tooltip of the page. Whatever has a data-tip shows it under the pointer and when it has the focus.
const tip = (() => {
  const box = document.getElementById("tip");
  const hide = () => { box.hidden = true; };
  // Beside the point, within the window.
  const show = (text, x, y) => {
    box.textContent = text;
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    const below = y + 18 + height < innerHeight;
    box.style.transform = `translate(${Math.max(8, Math.min(x + 12, innerWidth - width - 8))}px, ${Math.max(8, below ? y + 18 : y - height - 10)}px)`;
  };
  const beside = (text, element) => {
    const { left, bottom } = element.getBoundingClientRect();
    show(text, left, bottom - 14);
  };
  // What is also the element's label is not written twice.
  const said = (element) => element.dataset.tip || element.getAttribute("aria-label");
  let own = null;
  document.addEventListener("pointermove", (event) => {
    const target = event.target.closest("[data-tip]");
    if (target) show(said(target), event.clientX, event.clientY);
    else if (own) hide();
    own = target;
  });
  document.addEventListener("focusin", (event) => { if ("tip" in event.target.dataset && event.target.matches(":focus-visible")) beside(said(event.target), event.target); });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("scroll", hide, { passive: true });
  return { show, hide, beside };
})();

// Arrow keys lead through `count()` things; `go(n)` shows one.
const walk = (element, count, go) => {
  let at = -1;
  element.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const target = event.key === "Home" ? 0 : event.key === "End" ? count() - 1 : step ? at + step : null;
    if (target === null || !count()) return;
    event.preventDefault();
    at = Math.max(0, Math.min(count() - 1, target));
    go(at);
  });
};
