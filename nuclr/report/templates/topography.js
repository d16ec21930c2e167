
// The latent topography with a slider for N, in the same script element as explore.js, whose helpers it uses.
const DARK = "#101010", LIGHT = "#fafafa"; // the map has its own ground, so its ink does not follow the page
const UNITS = { energy: "MeV", per_nucleon: "MeV per nucleon" };
let place = null, seen = null; // a place that the reader chose, and the landscape that was last drawn
const land = started("landscape", data.landscapes, () => drawLand());
const sign = (value, digits) => value.toFixed(digits).replace("-", "−");
function chosenLand() {
  const one = data.landscapes[land.querySelector("select[name=what]").value || 0];
  const slider = land.querySelector("input[name=n]"), by = land.querySelector("select[name=by]");
  if (one !== seen) {
    slider.max = one.n.length - 1;
    slider.value = seen ? Math.min(slider.value, slider.max) : Math.floor(one.n.length / 2);
    by.value = one.first;
    [seen, place] = [one, null];
  }
  return [one, Number(slider.value), by.value];
}
function frame(one, width, height) {
  const [left, right, top, bottom] = [46, 8, 8, 78], [x, y] = [one.x, one.y];
  const half = [(x[1] - x[0]) / 2, (y[1] - y[0]) / 2];
  const low = [x[0] - half[0], y[0] - half[1]], high = [x[x.length - 1] + half[0], y[y.length - 1] + half[1]];
  let w = width - left - right, h = height - top - bottom;
  if (one.radius) { // a circle stays a circle
    const scale = Math.min(w / (high[0] - low[0]), h / (high[1] - low[1]));
    [w, h] = [scale * (high[0] - low[0]), scale * (high[1] - low[1])];
  }
  return { left, top, w, h, low, high, half,
    to: (p) => [left + (w * (p[0] - low[0])) / (high[0] - low[0]), top + h - (h * (p[1] - low[1])) / (high[1] - low[1])],
    from: (px, py) => [low[0] + ((px - left) / w) * (high[0] - low[0]), low[1] + ((top + h - py) / h) * (high[1] - low[1])] };
}
// The energy between the recorded places, linear in both directions.
function heightAt(one, field, point) {
  const part = [0, 1].map((k) => {
    const axis = k ? one.y : one.x, last = axis.length - 1;
    const at = Math.min(Math.max((point[k] - axis[0]) / (axis[1] - axis[0]), 0), last), low = Math.min(Math.floor(at), last - 1);
    return [low, at - low];
  });
  const [[c, u], [r, v]] = part, wide = one.x.length, value = (i, j) => field[(r + j) * wide + c + i];
  return (1 - v) * ((1 - u) * value(0, 0) + u * value(1, 0)) + v * ((1 - u) * value(0, 1) + u * value(1, 1));
}
function contours(one, field, levels, line) {
  const wide = one.x.length, corners = [[0, 0], [1, 0], [1, 1], [0, 1]];
  for (let r = 0; r + 1 < one.y.length; r++) for (let c = 0; c + 1 < wide; c++) for (const level of levels) {
    const cut = [];
    corners.forEach(([i, j], k) => {
      const [p, q] = corners[(k + 1) % 4], a = field[(r + j) * wide + c + i], b = field[(r + q) * wide + c + p];
      if (a < level === b < level) return;
      const t = (level - a) / (b - a), step = (axis, from, to, base) => axis[base + from] + t * (axis[base + to] - axis[base + from]);
      cut.push([step(one.x, i, p, c), step(one.y, j, q, r)]);
    });
    for (let k = 0; k + 1 < cut.length; k += 2) line(cut[k], cut[k + 1]);
  }
}
function drawLand() {
  const canvas = land.querySelector("canvas"), [brush, width, height] = sized(canvas), [one, k, by] = chosenLand();
  const field = one[by][k], low = Math.min(...field), high = Math.max(...field), known = new Set(one.known[k]), most = one.most_bound[k];
  const box = frame(one, width, height), { left, top, w, h } = box, wide = one.x.length, tall = one.y.length;
  const share = (value) => (value - low) / (high - low || 1), map = document.createElement("canvas");
  [map.width, map.height] = [wide, tall];
  const dots = map.getContext("2d");
  field.forEach((value, i) => {
    dots.fillStyle = colour("sequential", share(value));
    dots.fillRect(i % wide, tall - 1 - Math.floor(i / wide), 1, 1);
  });
  brush.clearRect(0, 0, width, height);
  brush.imageSmoothingEnabled = true;
  brush.drawImage(map, left, top, w, h);
  const stroke = (points, style, thick, dash = []) => {
    brush.strokeStyle = style;
    brush.lineWidth = thick;
    brush.setLineDash(dash);
    brush.beginPath();
    points.map(box.to).forEach(([x, y], i) => (i ? brush.lineTo(x, y) : brush.moveTo(x, y)));
    brush.stroke();
    brush.setLineDash([]);
  };
  brush.save();
  brush.beginPath();
  brush.rect(left, top, w, h);
  brush.clip();
  contours(one, field, [1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => low + (i * (high - low)) / 10), (a, b) => stroke([a, b], "#10101070", 0.8));
  stroke(one.points, "#10101080", 0.6);
  if (one.radius) {
    const circle = [...Array(121).keys()].map((i) => [one.radius * Math.cos((i * Math.PI) / 60), one.radius * Math.sin((i * Math.PI) / 60)]);
    stroke(circle, DARK, 2.6);
    stroke(circle, LIGHT, 1.2, [5, 4]);
  }
  const shape = (x, y, corners, radius, inner, turn) => {
    brush.beginPath();
    for (let i = 0; i < corners; i++) {
      const r = i % 2 && inner ? inner : radius, a = turn + (2 * Math.PI * i) / corners;
      brush.lineTo(x + r * Math.cos(a), y + r * Math.sin(a));
    }
    brush.closePath();
    brush.fillStyle = LIGHT;
    brush.strokeStyle = DARK;
    brush.lineWidth = 1;
    brush.fill();
    brush.stroke();
  };
  one.points.forEach((point, i) => {
    const [x, y] = box.to(point);
    if (known.has(i + 1) && i + 1 !== most) shape(x, y, 24, 4, 0, 0);
    else if (i + 1 !== most) { brush.fillStyle = DARK; brush.fillRect(x - 1.2, y - 1.2, 2.4, 2.4); }
  });
  const [mx, my] = box.to(one.points[most - 1]);
  shape(mx, my, 3, 9, 0, -Math.PI / 2);
  if (one.ring) {
    const [x, y] = box.to(one.ring[by][k]);
    shape(x, y, 10, 10, 4.5, -Math.PI / 2);
  }
  // Labels that would stand on another one are left out: first the most bound, then the known even Z, the known odd, every tenth.
  const taken = [], order = [most, ...one.known[k].filter((z) => z % 2 === 0), ...one.known[k], ...one.points.map((_, i) => i + 1).filter((z) => z % 10 === 0)];
  brush.lineJoin = "round";
  for (const z of new Set(order)) {
    const text = z === most ? `${data.symbols[z]} ${z}` : `${z}`, [x, y] = box.to(one.points[z - 1]), long = brush.measureText(text).width;
    const spot = [x + 8, y - 5, x + 10 + long, y + 8];
    if (spot[2] > left + w || taken.some((o) => spot[0] < o[2] && o[0] < spot[2] && spot[1] - 6 < o[3] && o[1] < spot[3] + 6)) continue;
    taken.push(spot);
    brush.strokeStyle = LIGHT;
    brush.lineWidth = 3;
    brush.strokeText(text, x + 8, y + 4);
    brush.fillStyle = DARK;
    brush.fillText(text, x + 8, y + 4);
  }
  const here = place || one.points[most - 1], [hx, hy] = box.to(here);
  if (place) { brush.strokeStyle = DARK; brush.lineWidth = 3; brush.strokeRect(hx - 7, hy - 7, 14, 14); brush.strokeStyle = LIGHT; brush.lineWidth = 1.4; brush.strokeRect(hx - 7, hy - 7, 14, 14); }
  brush.restore();

  brush.fillStyle = ink("--soft");
  const digits = (values) => (Math.max(...values.map(Math.abs)) < 0.95 ? 2 : 1);
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const x = one.x[0] + part * (one.x[wide - 1] - one.x[0]), y = one.y[0] + part * (one.y[tall - 1] - one.y[0]);
    brush.textAlign = "center";
    brush.fillText(sign(x, digits(one.x)), box.to([x, 0])[0], top + h + 16);
    brush.textAlign = "right";
    brush.fillText(sign(y, digits(one.y)), left - 6, box.to([0, y])[1] + 4);
  }
  brush.textAlign = "left";
  brush.fillText(`${one.xlabel} to the right, ${one.ylabel} upwards`, left, top + h + 34);
  const key = brush.createLinearGradient(left, 0, left + w, 0);
  data.maps.sequential.forEach((stop, i, all) => key.addColorStop(i / (all.length - 1), stop));
  brush.fillStyle = key;
  brush.fillRect(left, top + h + 44, w, 9);
  brush.fillStyle = ink("--ink");
  const places = by === "energy" ? 0 : 2;
  brush.fillText(sign(low, places), left, top + h + 68);
  brush.textAlign = "right";
  brush.fillText(`${sign(high, places)} ${UNITS[by]}`, left + w, top + h + 68);
  brush.textAlign = "left";

  const slider = land.querySelector("input[name=n]");
  slider.nextElementSibling.textContent = one.n[k];
  slider.setAttribute("aria-valuetext", `N = ${one.n[k]}`);
  const near = one.points.map((p) => { const [x, y] = box.to(p); return Math.hypot(x - hx, y - hy); });
  const z = near.indexOf(Math.min(...near)) + 1;
  const name = near[z - 1] < 14 ? `at Z = ${z} (${data.symbols[z]}, ${known.has(z) ? "known" : "not known"} beside this N)` : `at ${one.xlabel} ${sign(here[0], 2)}, ${one.ylabel} ${sign(here[1], 2)}`;
  land.querySelector("output").textContent = `N = ${one.n[k]}: most bound is ${data.symbols[most]}, Z = ${most}, of ${known.size} known. ${sign(heightAt(one, field, here), places)} ${UNITS[by]} ${name}.`;
  land.querySelector("[data-along]").textContent = one.along;
}
if (land) {
  const canvas = land.querySelector("canvas");
  const within = (one, point) => point.map((value, i) => Math.min(Math.max(value, (i ? one.y : one.x)[0]), (i ? one.y : one.x).at(-1)));
  const point = (event) => {
    const box = canvas.getBoundingClientRect(), [one] = chosenLand(), found = frame(one, box.width, box.height);
    place = within(one, found.from(event.clientX - box.left, event.clientY - box.top));
    drawLand();
  };
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [one, k] = chosenLand(), from = place || one.points[one.most_bound[k] - 1];
    place = within(one, [from[0] + step[0] * (one.x[1] - one.x[0]), from[1] + step[1] * (one.y[1] - one.y[0])]);
    drawLand();
  });
  drawLand();
}
