/** The looks. Colours are those of Okabe and Ito, which colour-blind people tell apart, darkened or lightened until they stand out
 *  from the paper; nothing is said by colour alone. */

const LIGHT = `--paper:#ffffff;--card:#f6f7f9;--ink:#1c2126;--soft:#57606a;--rule:#d5dadf;--grid:#e9ecef;
--blue:#0072b2;--orange:#e69f00;--vermillion:#c9480a;--green:#00825f;--purple:#a14a84;--grey:#6b747d;
--calm:#cfe6f3;--calm-ink:#134b6b;--alarm-ink:#ffffff;--warning-ink:#3b2900;--pass:#00704f;--fail:#b83a00`;

const DARK = `--paper:#15181b;--card:#1e2226;--ink:#e4e8eb;--soft:#a0aab4;--rule:#3a4148;--grid:#252a2f;
--blue:#5ab4e8;--orange:#e69f00;--vermillion:#ff8148;--green:#2fbf94;--purple:#dd8fbf;--grey:#98a2ab;
--calm:#1d3d52;--calm-ink:#b9dff5;--alarm-ink:#2b0f00;--warning-ink:#2b1e00;--pass:#3ccb9f;--fail:#ff8f5c`;

/** What charts need, and all that a chart on its own has. */
export const chartStyle: string = `:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
svg{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
.blue{--tone:var(--blue)}.orange{--tone:var(--orange)}.vermillion{--tone:var(--vermillion)}
.green{--tone:var(--green)}.purple{--tone:var(--purple)}.grey{--tone:var(--grey)}
.calm{--tone:var(--calm);--on-tone:var(--calm-ink)}.blank{--tone:var(--grid);--on-tone:var(--soft)}
.warning{--tone:var(--orange);--on-tone:var(--warning-ink)}
.alarm{--tone:var(--vermillion);--on-tone:var(--alarm-ink)}
.line,.bound{fill:none;stroke:var(--tone);stroke-width:1.6;stroke-linejoin:round}
.bound{stroke-dasharray:5 3}
.layer,.band,.key{fill:var(--tone)}
.band.blank{fill:none;stroke:var(--grey);stroke-width:.75;stroke-dasharray:2 2}
.hollow{fill:none;stroke:var(--tone);stroke-dasharray:3 2}
.grid{stroke:var(--grid)}.floor{stroke:var(--rule)}
.event{stroke:var(--soft);stroke-dasharray:2 3}
.tick,.legend,.event-label,.inside{font-size:11px;fill:var(--soft)}
.event-label{fill:var(--ink)}.inside{fill:var(--on-tone)}
.paper{fill:var(--paper)}.heading{font-size:18px;font-weight:600;fill:var(--ink)}
.title{font-size:13px;font-weight:600;fill:var(--ink)}
.step{fill:var(--ink);fill-opacity:0}.step:hover{fill-opacity:.08}`;

/** What the page around them needs. */
export const pageStyle: string = `*{box-sizing:border-box}
body{margin:0 auto;padding:20px 16px 48px;max-width:1000px;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;overflow-wrap:anywhere}
h1{font-size:26px;line-height:1.2;margin:0 0 4px}h2{font-size:19px;line-height:1.3;margin:0}
p{margin:4px 0}a{color:var(--blue)}
.about{color:var(--soft);font-size:13px}
.outcome{font-weight:700;white-space:nowrap}.passed{color:var(--pass)}.failed{color:var(--fail)}
.verdict{font-size:18px;margin:12px 0}
section{border-top:1px solid var(--rule);margin-top:32px;padding-top:20px}
table{border-collapse:collapse;width:100%;font-size:14px;margin:12px 0}
th,td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;border-bottom:1px solid var(--grid)}
th{font-size:12px;font-weight:600;color:var(--soft)}
.cards th{white-space:nowrap}.verdicts th:first-child{width:40%}
.numbers td,.numbers th{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;padding-right:10px}
.numbers td.states{text-align:left}
.scroll{overflow-x:auto;max-height:70vh}
.settings{display:flex;flex-wrap:wrap;gap:4px 6px;list-style:none;padding:0;margin:8px 0;font-size:12px}
.settings li{background:var(--card);border:1px solid var(--grid);border-radius:4px;padding:1px 6px}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
.events{columns:240px;font-size:13px;padding-left:24px;margin:8px 0;color:var(--soft)}
summary{cursor:pointer;color:var(--soft);font-size:13px;padding:4px 0}
figure{margin:16px 0}figure svg{display:block;width:100%;height:auto}
.narrow{display:none}
@media (max-width:720px){.wide{display:none}.narrow{display:block;max-width:520px}
.cards thead{display:none}.cards tr{display:block;padding:8px 0;border-bottom:1px solid var(--grid)}
.cards td{display:inline;border:0;padding:0 8px 0 0}.cards td[data-title]{display:block}
.cards td:empty{display:none}
.cards td[data-title]::before{content:attr(data-title) ": ";color:var(--soft)}}`;
