// What a chart's value is under the pointer. Axes come as "kind,low,high" in data-axis; paths are read back from the drawing.
const axis = (spec) => {
  const [kind, low, high] = spec.split(",").map((each, n) => (n ? Number(each) : each));
  return kind === "log" ? (place) => low * (high / low) ** place : (place) => low + (high - low) * place;
};
const figures = (value) => String(Number(value.toPrecision(3)));
const duration = (seconds) => seconds < 0.9995 ? `${figures(seconds * 1000)} ms` : seconds < 99.95 ? `${figures(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
const units = {
  bytes: (value) => value < 1e6 ? `${figures(value / 1e3)} kB` : `${figures(value / 1e6)} MB`,
  share: (value) => `${Math.round(value * 100)} % of a core`,
};
// Follow the pointer, or walk with the arrow keys in fiftieths; `say(place)` is the tooltip for a place from 0 to 1.
const follow = (plot, say) => {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  line.setAttribute("class", "pointer");
  line.setAttribute("y1", "0");
  line.setAttribute("y2", plot.getAttribute("height"));
  plot.append(line);
  const at = (place, x, y) => {
    line.setAttribute("x1", `${place * 100}%`);
    line.setAttribute("x2", `${place * 100}%`);
    line.style.visibility = "visible";
    tip.show(say(place), x, y);
  };
  const away = () => { line.style.visibility = "hidden"; tip.hide(); };
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    if (!event.target.dataset.tip) at(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)), event.clientX, event.clientY);
  });
  plot.addEventListener("pointerleave", away);
  plot.addEventListener("blur", away);
  walk(plot, () => 51, (n) => {
    const box = plot.getBoundingClientRect();
    at(n / 50, box.left + box.width * n / 50, box.top + box.height / 2);
  });
};

const ecdf = (plot) => {
  const value = axis(plot.dataset.axis);
  const series = JSON.parse(plot.dataset.samples);
  follow(plot, (place) => {
    const now = value(place);
    const lines = series.map(({ name, n, done }) => `${name}: ${done.filter((each) => each <= now).length} of ${n}`);
    return [`done after ${duration(now)}`, ...lines].join("\n");
  });
};

const trace = (plot) => {
  const time = axis(plot.dataset.axis);
  const level = axis(plot.dataset.level);
  const drawn = plot.querySelector(".line");
  if (!drawn) return;
  const height = drawn.ownerSVGElement.viewBox.baseVal.height;
  const drawnAt = [...drawn.getAttribute("d").matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [x / 1000, 1 - y / height]);
  follow(plot, (place) => {
    const [x, y] = drawnAt.reduce((best, each) => (Math.abs(each[0] - place) < Math.abs(best[0] - place) ? each : best));
    return `${duration(time(x))}: ${units[plot.dataset.unit](level(y))}`;
  });
};

const points = (plot) => {
  const marks = [...plot.querySelectorAll("[data-tip]")];
  walk(plot, () => marks.length, (n) => tip.beside(marks[n].dataset.tip, marks[n]));
};

const wire = (root) => {
  root.querySelectorAll("svg.ecdf").forEach(ecdf);
  root.querySelectorAll("svg.trace").forEach(trace);
  root.querySelectorAll("svg.points").forEach(points);
};
wire(document);
