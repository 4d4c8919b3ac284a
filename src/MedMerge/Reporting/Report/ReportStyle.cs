namespace MedMerge.Reporting.Report;

/// <summary>The report's style: light, dark and printed, from a phone's width on. It names no other file.</summary>
internal static class ReportStyle
{
    /// <summary>CSS.</summary>
    public const string Css = """
        :root {
            color-scheme: light dark;
            --ink: #1c2430; --soft: #5b6675; --line: #d5dbe3; --paper: #ffffff; --shade: #f3f5f8;
            --merge: #0b6bcb; --single: #1c2430; --other: #7a8594; --warn: #9a3b00;
        }
        @media (prefers-color-scheme: dark) {
            :root {
                --ink: #e6ebf2; --soft: #a3afbf; --line: #39434f; --paper: #12171e; --shade: #1b222c;
                --merge: #6db3ff; --single: #e6ebf2; --other: #93a0b0; --warn: #ffb27a;
            }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
        main { max-width: 960px; margin: 0 auto; padding: 32px 20px 64px; }
        h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 12px; }
        h2 { font-size: 1.4rem; margin: 48px 0 8px; padding-top: 16px; border-top: 1px solid var(--line); }
        h3 { font-size: 1.05rem; margin: 28px 0 8px; }
        a { color: var(--merge); }
        .kind, figcaption, caption, footer { color: var(--soft); font-size: 0.9rem; }
        .kind { margin: 0; }
        .verdict { font-size: 1.25rem; line-height: 1.4; margin: 0 0 8px; }
        .warning { border-left: 4px solid var(--warn); padding: 4px 12px; color: var(--warn); font-weight: 600; }
        .wide { overflow-x: auto; }
        figure { margin: 16px 0; }
        svg { display: block; width: 100%; min-width: 640px; font: 13px system-ui, sans-serif; }
        svg.square { max-width: 300px; min-width: 0; }
        svg text { fill: var(--ink); }
        svg .tick { fill: var(--soft); font-size: 12px; text-anchor: middle; }
        svg .side { text-anchor: end; }
        svg .grid { stroke: var(--line); }
        svg .zero { stroke: var(--ink); stroke-dasharray: 4 3; }
        svg g, svg .mean { color: var(--other); }
        svg g.proposed, svg.square .mean { color: var(--merge); }
        svg g.singleSource { color: var(--single); }
        svg g.proposed text { font-weight: 600; }
        svg .bar { stroke: currentColor; stroke-width: 2.5; }
        svg g .mean { fill: currentColor; color: inherit; }
        svg.square .mean { fill: currentColor; fill-opacity: 0.75; }
        svg .seed { fill: none; stroke: currentColor; opacity: 0.7; }
        svg.small { min-width: 0; }
        svg.chart, svg.map { max-width: 820px; }
        svg .line { color: var(--merge); }
        svg .line polyline { fill: none; stroke: currentColor; stroke-width: 2; }
        svg .line polygon { fill: currentColor; fill-opacity: 0.16; }
        svg .mark { fill: currentColor; }
        svg .kind-1 { color: var(--warn); }
        svg .kind-2 { color: var(--ink); }
        svg .kind-3 { color: var(--other); }
        svg .kind-1 polyline { stroke-dasharray: 6 4; }
        svg .kind-2 polyline { stroke-dasharray: 2 3; }
        svg .kind-3 polyline { stroke-dasharray: 10 3 2 3; }
        svg.map rect { fill: var(--merge); stroke: var(--line); }
        svg.map rect.less { fill: var(--warn); }
        svg .layer { fill: var(--soft); font-size: 11px; text-anchor: end; }
        svg .share { font-size: 11px; text-anchor: middle; }
        .curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 12px 24px; }
        .curves .panel { margin: 0; font-size: 0.85rem; }
        pre { background: var(--shade); padding: 12px; overflow-x: auto; font-size: 0.8rem; line-height: 1.4; }
        .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 0 24px; align-items: start; }
        table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; margin: 8px 0 16px; min-width: 100%; }
        caption { text-align: left; padding-bottom: 6px; caption-side: top; }
        th, td { padding: 5px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
        th:first-child { text-align: left; }
        thead th { background: var(--shade); }
        tbody th { font-weight: 500; }
        .matrix { min-width: 0; }
        .matrix tbody td { background: color-mix(in srgb, var(--merge) calc(var(--share) * 55%), transparent); }
        .settings td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
        dt { font-weight: 600; }
        dd { margin: 0 0 8px 0; }
        footer { margin-top: 48px; border-top: 1px solid var(--line); padding-top: 12px; }
        @media print {
            :root {
                color-scheme: light;
                --ink: #000000; --soft: #444444; --line: #bbbbbb; --paper: #ffffff; --shade: #f3f3f3;
                --merge: #0b4f9c; --single: #000000; --other: #666666; --warn: #7a2e00;
            }
            body { font-size: 10pt; line-height: 1.4; }
            main { max-width: none; padding: 0; }
            h2 { margin-top: 24px; }
            h2, h3, caption, .panel { break-after: avoid; }
            figure, tr, .matrix { break-inside: avoid; }
            section { break-before: page; }
            .kind, figcaption, caption, footer { font-size: 8.5pt; }
            nav { display: none; }
            .wide { overflow: visible; }
            .pair { grid-template-columns: 1fr 1fr; }
            table { font-size: 8pt; }
            th, td { padding: 2px 5px; }
            svg { min-width: 0; }
            svg.map rect { print-color-adjust: exact; }
            .curves { grid-template-columns: repeat(3, 1fr); }
            .curves > div { break-inside: avoid; }
            pre { white-space: pre-wrap; }
            .matrix td, thead th { print-color-adjust: exact; }
        }
        """;
}
