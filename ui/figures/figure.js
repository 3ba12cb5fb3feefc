// One Plotly chart per component, updated in place by Plotly.react.

const { render } = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url));

const SCALE = 2; // of a saved PNG: pixels of the file for one on the page
const PAUSE = 200; // ms between two drawings of one chart
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

/** Every size of type in a drawing, so many times as large: a projector is read from the last row. */
function enlarge(part, times) {
  for (const [name, value] of Object.entries(part ?? {})) {
    if (/font$/i.test(name) && Number.isFinite(value?.size)) value.size = Math.max(18, value.size * times);
    if (value && typeof value === 'object' && !(value.length > 200)) enlarge(value, times);
  }
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

// The only buttons of the bar: the chart as a file, named after page and chart, on the ground of the page.
function modeBar(Plotly, node, key) {
  const page = location.pathname.split('/').filter(Boolean).at(-1) ?? 'home';
  const filename = `${page}-${key.replace(/\.figure\.live$/, '')}`.replace(/[^\w-]+/g, '-');
  const ground = () => getComputedStyle(node).getPropertyValue('--st-background-color').trim() || '#fff';
  const save = (format) => ({
    name: `save-${format}`,
    title: `Save as ${format.toUpperCase()}`,
    icon: Plotly.Icons[format === 'png' ? 'camera' : 'disk'],
    click: ({ data, layout }) => Plotly.downloadImage(
      { data, layout: { ...layout, paper_bgcolor: ground() } },
      { format, filename, width: layout.width, height: layout.height, ...(format === 'png' ? { scale: SCALE } : {}) },
    ),
  });
  return [[save('png'), save('svg')]];
}

class Figure {
  constructor(node) {
    this.node = node;
    node.setAttribute('role', 'figure'); // no img: there are buttons in it
  }

  async update(data) {
    const { node } = this;
    this.newest = data;
    const unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const tall = Math.round(data.height * unit);
    node.style.height = `${tall}px`;
    node.setAttribute('aria-label', data.alt);
    let Plotly;
    try {
      Plotly = await load(data.version);
    } catch {
      node.textContent = 'This figure could not be loaded. Reload the page.';
      return;
    }
    // A chart takes a frame or two to draw; while a hand moves, the pictures beside it come first.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, (this.drawn ?? 0) + PAUSE - performance.now())));
    if (this.newest !== data || !node.isConnected) return;
    // What is on the screen stays, so that nothing flickers under the pointer; another theme has other colours.
    const style = getComputedStyle(node);
    const looks = [data.figure, data.height, ...['text-color', 'border-color', 'font'].map((each) => style.getPropertyValue(`--st-${each}`))].join();
    if (looks === this.looks) return;
    this.looks = looks;
    this.drawn = performance.now();
    const { data: traces, layout, frames } = JSON.parse(data.figure);
    paint(layout, node);
    if (unit > 1) [layout, ...traces].forEach((part) => enlarge(part, unit));
    Object.assign(layout, { height: tall, width: node.clientWidth || undefined, uirevision: layout.uirevision ?? 'kept' });
    // One for all updates: for another one Plotly would begin anew, and zoom, focus and buttons were lost.
    this.config ??= { modeBarButtons: modeBar(Plotly, node, data.key), displaylogo: false };
    await Plotly.react(node, traces, layout, this.config);
    this.fitPaper(node);
    if (frames?.length && !node.framed) {
      node.framed = true;
      Plotly.addFrames(node, frames);
    }
    if (data.points && !node.touch) this.listen(node);
    node.observer ??= new ResizeObserver(() => {
      if (node.clientWidth && node.clientWidth !== node.layout?.width) Plotly.relayout(node, { width: node.clientWidth }).then(() => this.fitPaper(node));
    });
    node.observer.observe(node);
  }

  // On paper the chart takes the width that there is: ui/print.css scales what has a view box.
  fitPaper(node) {
    const { width, height } = node._fullLayout;
    node.style.setProperty('--aspect', width / height);
    for (const layer of node.querySelectorAll('.main-svg')) layer.setAttribute('viewBox', `0 0 ${width} ${height}`);
  }

  // Hover and click on a point, told to Python as the first number of its customdata.
  listen(node) {
    const number = (event) => event.points.map((point) => point.customdata?.[0]).find((each) => each !== undefined) ?? null;
    const tell = () => this.channel.offer(() => {
      const { under = null, clicked } = node; // a click stays until it has been told
      node.clicked = undefined;
      return { under, clicked, settled: clicked !== undefined };
    });
    node.touch = (under) => {
      if (under === (node.under ?? null)) return;
      node.under = under;
      tell();
    };
    node.on('plotly_hover', (event) => node.touch(number(event)));
    node.on('plotly_unhover', () => node.touch(null));
    node.on('plotly_click', (event) => {
      node.clicked = number(event) ?? undefined;
      if (node.clicked !== undefined) tell();
    });
  }
}

export default (component) => render(component, null, Figure);
