// Small comforts; every page works without them.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form.controls:not([data-live])");
  if (form) form.requestSubmit();
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.previousElementSibling.textContent);
  button.textContent = "Copied";
});
document.addEventListener("input", (event) => {
  const shown = event.target.type === "range" && event.target.parentElement.querySelector("output");
  if (shown) shown.value = event.target.value;
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    document.querySelector("nav input[type=search]").focus();
  }
  if (event.key === "Enter" && event.ctrlKey && event.target.matches("textarea")) {
    event.target.form.requestSubmit();
  }
});
// Only the bounds that were moved stand in the address.
document.addEventListener("htmx:configRequest", (event) => {
  for (const input of event.detail.elt.querySelectorAll("[data-default]")) {
    const moved = Math.abs(input.value - input.dataset.default) >= input.step / 2;
    if (!moved) delete event.detail.parameters[input.name];
    input.closest(".slider").classList.toggle("moved", moved);
  }
});
