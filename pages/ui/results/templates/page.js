"use strict";
const charts = JSON.parse(document.getElementById("charts").textContent);
const options = { actions: false, ast: true, defaultStyle: false, renderer: "svg", tooltip: { disableDefaultStyle: true } };
const config = {
  font: getComputedStyle(document.body).fontFamily,
  axisTop: { domain: false, ticks: false },
  axisQuantitative: { labelOverlap: true, tickCount: 8 },
};
for (const [name, spec] of Object.entries(charts)) {
  vegaEmbed(`#chart-${name}`, spec, { ...options, config });
}
