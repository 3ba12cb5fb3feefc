// One Plotly chart per component, updated in place by Plotly.react.

let library;

function load(version) {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = new URL(`assets/plotly/plotly.min.js?v=${version}`, document.baseURI).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = reject;
    document.head.append(script);
  });
  return library;
}

// The template from Python has sizes; colours follow the theme of the page.
function paint(layout, node) {
  const style = getComputedStyle(node);
  const read = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const text = read('text-color');
  const line = read('border-color');
  const base = (layout.template ??= {}).layout ??= {};
  base.font = { ...base.font, color: text, family: read('font') };
  const palette = read('chart-categorical-colors');
  if (palette) base.colorway = palette.split(',');
  for (const axis of ['xaxis', 'yaxis']) {
    base[axis] = { ...base[axis], gridcolor: line, linecolor: line, tickcolor: line, zerolinecolor: line };
  }
  const wall = { gridcolor: line, zerolinecolor: line, backgroundcolor: 'rgba(0,0,0,0)', color: text };
  base.scene = { ...base.scene, xaxis: wall, yaxis: wall, zaxis: wall };
  base.hoverlabel = { ...base.hoverlabel, bgcolor: read('secondary-background-color'), bordercolor: line };
  base.hoverlabel.font = { ...base.hoverlabel.font, color: text };
}

export default async function ({ data, parentElement }) {
  const node = parentElement.querySelector('[data-figure]');
  node.style.height = `${data.height}px`;
  node.setAttribute('role', 'img');
  node.setAttribute('aria-label', data.alt);
  node.newest = data;
  let Plotly;
  try {
    Plotly = await load(data.version);
  } catch {
    node.textContent = 'This figure could not be loaded. Reload the page.';
    return;
  }
  if (node.newest !== data || !node.isConnected) return;
  const { data: traces, layout, frames } = JSON.parse(data.figure);
  paint(layout, node);
  Object.assign(layout, { height: data.height, width: node.clientWidth || undefined, uirevision: layout.uirevision ?? 'kept' });
  await Plotly.react(node, traces, layout, { displayModeBar: false, displaylogo: false });
  if (frames?.length && !node.framed) {
    node.framed = true;
    Plotly.addFrames(node, frames);
  }
  node.observer ??= new ResizeObserver(() => {
    if (node.clientWidth && node.clientWidth !== node.layout?.width) Plotly.relayout(node, { width: node.clientWidth });
  });
  node.observer.observe(node);
}
