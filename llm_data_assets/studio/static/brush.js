// Dragging over a histogram chooses a range; the others narrow while it is dragged.
const SVG = "http://www.w3.org/2000/svg";
let drag = null, dragged = false, asking = false, next = null, shown = location.search;

const valueAt = (svg, x) => {
  const { low, high, left, right } = Object.fromEntries(
    Object.entries(svg.dataset).map(([name, value]) => [name, Number(value)]));
  const box = svg.getBoundingClientRect();
  const place = ((x - box.left) / box.width) * svg.viewBox.baseVal.width;
  return low + (high - low) * Math.min(Math.max((place - left) / (right - left), 0), 1);
};
const within = (name, from, to) => {
  const address = new URL(location.href);
  const told = [from, to].sort((a, b) => a - b).map((value) => Number(value.toPrecision(4)));
  address.searchParams.set(name, told.join(".."));
  address.hash = name;
  return address;
};
// The newest question is asked when the one before is answered; those between are left out.
const show = async (address, whole) => {
  next = [address, whole];
  if (asking) return;
  asking = true;
  while (next) {
    const [asked, all] = next;
    next = null;
    const answer = await fetch(asked);
    if (!answer.ok) break;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (all) {
      document.getElementById("explored").replaceWith(page.getElementById("explored"));
      history.pushState(null, "", asked);
      shown = asked.search;
    } else {
      for (const there of document.querySelectorAll("#explored .panel, #explored .headline")) {
        const same = there.id ? page.getElementById(there.id) : page.querySelector(".headline");
        if (same && !(drag && there.contains(drag.svg))) there.innerHTML = same.innerHTML;
      }
    }
  }
  asking = false;
};
document.addEventListener("pointerdown", (event) => {
  const svg = event.button === 0 && event.target.closest("svg[data-brush]");
  dragged = false;
  if (!svg) return;
  drag = { svg, from: event.clientX, bar: svg.appendChild(document.createElementNS(SVG, "rect")) };
  drag.bar.setAttribute("class", "brush");
});
document.addEventListener("pointermove", (event) => {
  if (!drag || (!dragged && Math.abs(event.clientX - drag.from) < 4)) return;
  dragged = true;
  const { svg, from, bar } = drag;
  const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
  const left = Math.max(Math.min(from, event.clientX), box.left);
  const right = Math.min(Math.max(from, event.clientX), box.right);
  for (const [name, value] of Object.entries({ x: (left - box.left) * scale, y: 12,
    width: Math.max(right - left, 0) * scale, height: svg.viewBox.baseVal.height - 46 }))
    bar.setAttribute(name, value);
  show(within(svg.dataset.brush, valueAt(svg, from), valueAt(svg, event.clientX)), false);
});
document.addEventListener("pointerup", (event) => {
  if (!drag) return;
  const { svg, from, bar } = drag;
  drag = null;
  if (!dragged) return bar.remove();
  show(within(svg.dataset.brush, valueAt(svg, from), valueAt(svg, event.clientX)), true);
});
document.addEventListener("pointercancel", () => {
  if (drag) drag.bar.remove();
  drag = null;
});
// A bar is a link: it is neither dragged away nor followed after a drag; with Shift it extends.
document.addEventListener("dragstart", (event) => {
  if (event.target.closest("svg[data-brush]")) event.preventDefault();
});
document.addEventListener("click", (event) => {
  const svg = event.target.closest("svg[data-brush]");
  const bar = event.target.closest("a");
  if (!svg || !(dragged || (event.shiftKey && bar))) return;
  event.preventDefault();
  const name = svg.dataset.brush;
  const range = (address) => (new URL(address, location.href).searchParams.get(name) || "")
    .split("..").filter(Boolean).map(Number);
  if (!dragged) {
    const ends = [...range(location.href), ...range(bar.getAttribute("href"))];
    show(within(name, Math.min(...ends), Math.max(...ends)), true);
  }
  dragged = false;
});
window.addEventListener("popstate", () => {
  if (location.search !== shown) location.reload();
});
