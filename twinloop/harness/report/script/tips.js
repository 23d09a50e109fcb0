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
  let own = null;
  document.addEventListener("pointermove", (event) => {
    const target = event.target.closest("[data-tip]");
    if (target) show(target.dataset.tip, event.clientX, event.clientY);
    else if (own) hide();
    own = target;
  });
  document.addEventListener("focusin", (event) => { if (event.target.dataset.tip && event.target.matches(":focus-visible")) beside(event.target.dataset.tip, event.target); });
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
