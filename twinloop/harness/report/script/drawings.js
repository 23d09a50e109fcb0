// The drawings of all scenarios are compressed in the page; they are unpacked when the first one is opened, each is drawn when its
// scenario is. page.py packs them.
const unpack = async () => {
  const bytes = Uint8Array.from(atob(document.getElementById("drawings").textContent), (each) => each.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
};

// Begins and lines come as differences to the item before.
const rows = ([lanes, begins, lengths, texts, lines]) => {
  let t = 0;
  let line = 0;
  return lanes.map((lane, n) => {
    t += begins[n];
    line += lines[n];
    return { lane, t, lasts: lengths[n], text: texts[n], line };
  });
};

let unpacked = null;
document.querySelectorAll("details.scenario").forEach((scenario) => {
  const place = scenario.querySelector(".drawings");
  const draw = async () => {
    if (!scenario.open || place.dataset.drawn) return;
    place.dataset.drawn = "true";
    unpacked ??= unpack();
    const { pages, texts, series } = await unpacked;
    const { number } = place.dataset;
    place.innerHTML = pages[number];
    remind(place);
    wire(place);
    wireTimelines(place, texts, series[number].map(rows));
  };
  scenario.addEventListener("toggle", draw);
  draw();
});
