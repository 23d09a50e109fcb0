// A scenario's drawings are compressed in the page; they are unpacked when it is opened for the first time.
const unpack = async (packed) => {
  const bytes = Uint8Array.from(atob(packed), (each) => each.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
};

document.querySelectorAll("details.scenario").forEach((scenario) => {
  const place = scenario.querySelector(".drawings");
  const draw = async () => {
    if (!scenario.open || !place.dataset.packed) return;
    const { packed } = place.dataset;
    delete place.dataset.packed;
    const drawings = await unpack(packed);
    place.innerHTML = drawings.html;
    remind(place);
    wire(place);
    wireTimelines(place, drawings);
  };
  scenario.addEventListener("toggle", draw);
  draw();
});
