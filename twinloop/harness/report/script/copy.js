// Commands: broken between arguments only, and copied with a button.
document.querySelectorAll(".command").forEach((command) => {
  const code = command.querySelector("code");
  const button = command.querySelector("button");
  const text = code.textContent;
  code.replaceChildren(...text.split(" ").flatMap((word) => [Object.assign(document.createElement("span"), { textContent: word }), " "]));
  const say = (said) => {
    button.textContent = said;
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied");
    } catch {
      // Without the clipboard's interface, it is at least selected.
      getSelection().selectAllChildren(code);
      say("Selected");
    }
  });
});
