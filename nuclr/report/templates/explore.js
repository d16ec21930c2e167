"use strict";
// The helix that turns and the chart of nuclides under the pointer, drawn on canvases in place of the still pictures.
// topography.js follows in the same script element.
const data = JSON.parse(document.getElementById("explore-data").textContent);
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const colour = (map, share) => {
  const stops = data.maps[map], at = Math.min(Math.max(share, 0), 1) * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2);
  const [one, two] = [channels(stops[low]), channels(stops[low + 1])];
  return `rgb(${one.map((c, i) => Math.round(c + (two[i] - c) * (at - low))).join(" ")})`;
};
const sized = (canvas) => {
  const dense = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  canvas.width = Math.round(box.width * dense);
  canvas.height = Math.round(box.height * dense);
  const brush = canvas.getContext("2d");
  brush.setTransform(dense, 0, 0, dense, 0, 0);
  brush.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return [brush, box.width, box.height];
};
const started = (name, options, draw) => {
  const place = document.querySelector(`[data-explore=${name}]`);
  if (!place || !options.length) return null;
  place.querySelector(".still").hidden = true;
  place.querySelectorAll("[hidden]:not(.still)").forEach((part) => (part.hidden = false));
  const choice = place.querySelector("select[name=what]");
  let group = null;
  options.forEach((one, i) => {
    if (group?.label !== one.claim) {
      group = document.createElement("optgroup");
      group.label = one.claim;
      choice.append(group);
    }
    group.append(new Option(one.title, i));
  });
  place.addEventListener("input", draw);
  new ResizeObserver(draw).observe(place.querySelector("canvas"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return place;
};

// ------------------------------------------------------------------------------------------------ the helix
const STRETCH = 2.6; // length of PC0 over PC1 and PC2, as in the still
let azimuth = -1.08, elevation = 0.35, turning = 0;
const helix = started("helix", data.helices, () => drawHelix());
const setting = (name) => Number(helix.querySelector(`input[name=${name}]`).value);
function moved(fit) {
  const many = 600, points = [];
  for (let i = 0; i <= many; i++) {
    const t = i / many, phase = fit.angle * t * setting("frequency");
    points.push([0, 1, 2].map((k) =>
      fit.centre[k] + fit.step[k] * (t - 0.5) * setting("length") +
      setting("radius") * (fit.cos[k] * Math.cos(phase) + fit.sin[k] * Math.sin(phase))));
  }
  return points;
}
function drawHelix() {
  const canvas = helix.querySelector("canvas"), [brush, width, height] = sized(canvas);
  const one = data.helices[helix.querySelector("select[name=what]").value || 0];
  const low = [0, 1, 2].map((k) => Math.min(...one.points.map((p) => p[k])));
  const high = [0, 1, 2].map((k) => Math.max(...one.points.map((p) => p[k])));
  const wide = Math.max(high[1] - low[1], high[2] - low[2]) || 1;
  const scale = [STRETCH / (high[0] - low[0] || 1), 1 / wide, 1 / wide];
  const size = Math.min(width / 3, height / 1.9);
  const project = (point) => {
    const [x, y, z] = point.map((c, k) => (c - (low[k] + high[k]) / 2) * scale[k]);
    const right = -Math.sin(azimuth) * x + Math.cos(azimuth) * y, deep = Math.cos(azimuth) * x + Math.sin(azimuth) * y;
    return [width / 2 + size * right, height / 2 - size * (z * Math.cos(elevation) - deep * Math.sin(elevation)),
      deep * Math.cos(elevation) + z * Math.sin(elevation)];
  };
  const path = (points) => {
    brush.beginPath();
    points.map(project).forEach(([x, y], i) => (i ? brush.lineTo(x, y) : brush.moveTo(x, y)));
    brush.stroke();
  };
  brush.clearRect(0, 0, width, height);
  brush.strokeStyle = ink("--figure-grid");
  const corner = (i) => [i & 1 ? high[0] : low[0], i & 2 ? high[1] : low[1], i & 4 ? high[2] : low[2]];
  for (let i = 0; i < 8; i++) for (const bit of [1, 2, 4]) if (!(i & bit)) path([corner(i), corner(i | bit)]);
  brush.fillStyle = ink("--soft");
  [[1, "PC0"], [2, "PC1"], [4, "PC2"]].forEach(([bit, name]) => {
    const [x, y] = project(corner(bit).map((c, k) => (c + corner(0)[k]) / 2));
    brush.fillText(name, x + 6, y + 14);
  });
  brush.strokeStyle = ink("--control");
  path(one.points);
  if (one.fit) {
    brush.strokeStyle = ink("--ink");
    brush.lineWidth = 1.5;
    path(moved(one.fit));
    brush.lineWidth = 1;
  }
  const parity = helix.querySelector("select[name=by]").value === "parity";
  const first = one.numbers[0], last = one.numbers[one.numbers.length - 1];
  const dots = one.points.map((point, i) => [...project(point), one.numbers[i]]).sort((a, b) => a[2] - b[2]);
  for (const [x, y, near, number] of dots) {
    brush.fillStyle = parity ? ink(number % 2 ? "--series-2" : "--series-1") : colour("numbers", (number - first) / (last - first));
    brush.beginPath();
    if (parity && number % 2) brush.rect(x - 3.5, y - 3.5, 7, 7);
    else brush.arc(x, y, 3.6 + near, 0, 2 * Math.PI);
    brush.fill();
    if (number % 10 === 0) {
      brush.fillStyle = ink("--ink");
      brush.fillText(number === 10 ? `${one.symbol} 10` : number, x + 7, y - 6);
    }
  }
  helix.querySelectorAll("input[type=range]").forEach((slider) => {
    slider.disabled = !one.fit;
    slider.nextElementSibling.textContent = `${Number(slider.value).toFixed(2)}×`;
  });
}
if (helix) {
  const canvas = helix.querySelector("canvas"), button = helix.querySelector("button");
  const turn = () => { azimuth += 0.012; drawHelix(); turning = requestAnimationFrame(turn); };
  button.addEventListener("click", () => {
    if (turning) { cancelAnimationFrame(turning); turning = 0; } else turn();
    button.textContent = turning ? "Stop" : "Turn";
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    azimuth -= event.movementX * 0.01;
    elevation = Math.min(Math.max(elevation + event.movementY * 0.01, -1.57), 1.57);
    drawHelix();
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    if (!step) return;
    event.preventDefault();
    azimuth += step[0];
    elevation = Math.min(Math.max(elevation + step[1], -1.57), 1.57);
    drawHelix();
  });
  drawHelix();
}

// -------------------------------------------------------------------------------------------------- the chart
let chosen = [82, 126];
const chart = started("chart", data.charts, () => drawChart());
const current = () => data.charts[chart.querySelector("select[name=what]").value || 0];
const grid = (one, width, height) => {
  const cell = Math.min((width - 34) / (Math.max(...one.n) + 3), (height - 46) / (Math.max(...one.z) + 3));
  return [cell, (n) => 32 + cell * n, (z) => height - 40 - cell * (z + 1)];
};
const raised = (number) => [...String(number)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
const short = (value) => String(Number(value.toPrecision(3))).replace("-", "−");
function drawChart() {
  const [brush, width, height] = sized(chart.querySelector("canvas")), one = current();
  const [cell, x, y] = grid(one, width, height), [low, high] = one.ends;
  brush.clearRect(0, 0, width, height);
  brush.fillStyle = ink("--figure-grid");
  for (const magic of [20, 28, 50, 82, 126]) {
    brush.fillRect(x(magic + 0.5), 16, 1, height - 54);
    if (magic <= 82) brush.fillRect(32, y(magic) + cell / 2, width - 32, 1);
  }
  one.z.forEach((z, i) => {
    brush.fillStyle = colour(one.map, (one.value[i] - low) / (high - low));
    brush.fillRect(x(one.n[i]), y(z), cell < 4 ? cell + 0.2 : cell - 0.4, cell < 4 ? cell + 0.2 : cell - 0.4);
  });
  brush.fillStyle = ink("--soft");
  for (const magic of cell < 2.6 ? [28, 50, 82, 126] : [20, 28, 50, 82, 126]) {
    brush.fillText(magic, x(magic), height - 24);
    if (magic <= 82) brush.fillText(magic, 4, y(magic) + cell);
  }
  brush.fillText("neutrons N", width - 68, height - 6);
  brush.fillText("protons Z", 4, 12);
  // The key stands where there are no nuclides: many protons beside few neutrons.
  const key = brush.createLinearGradient(44, 0, 44 + width / 4, 0), unit = one.unit === "1" ? "" : ` (${one.unit})`;
  data.maps[one.map].forEach((stop, i, all) => key.addColorStop(i / (all.length - 1), stop));
  brush.fillStyle = key;
  brush.fillRect(44, 42, width / 4, 8);
  brush.fillStyle = ink("--ink");
  brush.fillText(one.label + unit, 44, 34);
  brush.fillText(short(low), 44, 64);
  brush.textAlign = "right";
  brush.fillText(short(high), 44 + width / 4, 64);
  brush.textAlign = "left";
  const place = one.z.findIndex((z, i) => z === chosen[0] && one.n[i] === chosen[1]);
  const told = chart.querySelector("output");
  const symbol = `${raised(chosen[0] + chosen[1])}${data.symbols[chosen[0]] || "?"}, Z = ${chosen[0]}, N = ${chosen[1]}`;
  told.textContent = place < 0 ? `${symbol}: not here` : `${symbol}: ${one.label} ${one.value[place]} ${one.unit === "1" ? "" : one.unit}`;
  brush.strokeStyle = ink("--ink");
  brush.lineWidth = 2;
  brush.strokeRect(x(chosen[1]) - 1.5, y(chosen[0]) - 1.5, cell + 3, cell + 3);
}
if (chart) {
  const canvas = chart.querySelector("canvas");
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect(), one = current(), [cell, x, y] = grid(one, box.width, box.height);
    const n = Math.floor((event.clientX - box.left - x(0)) / cell), z = Math.ceil((y(0) - event.clientY + box.top) / cell);
    if (!one.z.some((other, i) => other === z && one.n[i] === n)) return;
    chosen = [z, n];
    drawChart();
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    chosen = [Math.max(chosen[0] + step[0], 0), Math.max(chosen[1] + step[1], 0)];
    drawChart();
  });
  drawChart();
}
