// Timelines: the item nearest to the pointer, a line at the same moment in every variant of the group, arrow keys from item to item.
// `series` has a list of items for each drawing, in milliseconds; an item's text is a number in `texts`.
const wireTimelines = (root, texts, series) => {
  const LANE = 18;
  const REACH = 12;
  root.querySelectorAll("svg.timeline").forEach((plot, number) => {
    const items = series[number];
    const length = Number(plot.dataset.axis.split(",")[2]) * 1000;
    const cursors = [...plot.closest(".clock").querySelectorAll(".cursor")];
    const say = ({ t, lasts, text, line }) => {
      const time = duration(t / 1000) + (lasts ? `, for ${duration(lasts / 1000)}` : "");
      return `${texts[text]}\n${time}${line ? ` · line ${line} of the history` : ""}`;
    };
    const moment = (t) => cursors.forEach((each) => {
      each.setAttribute("x1", `${t / length * 100}%`);
      each.setAttribute("x2", `${t / length * 100}%`);
      each.style.visibility = "visible";
    });
    const away = () => { cursors.forEach((each) => { each.style.visibility = "hidden"; }); tip.hide(); };
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      const t = (event.clientX - box.left) / box.width * length;
      const lane = Math.floor((event.clientY - box.top) / LANE);
      // How far the pointer is from an item of its lane, in milliseconds; within an item that lasts: not at all.
      const far = (item) => Math.max(item.t - t, t - item.t - item.lasts, 0);
      const nearest = items.filter((item) => item.lane === lane).reduce((best, each) => (best && far(best) <= far(each) ? best : each), null);
      moment(Math.max(0, t));
      if (nearest && far(nearest) / length * box.width <= REACH) tip.show(say(nearest), event.clientX, event.clientY); else tip.hide();
    });
    plot.addEventListener("pointerleave", away);
    plot.addEventListener("blur", away);
    walk(plot, () => items.length, (n) => {
      const box = plot.getBoundingClientRect();
      moment(items[n].t);
      tip.show(say(items[n]), box.left + items[n].t / length * box.width, box.top + (items[n].lane + 0.5) * LANE);
    });
  });
};
