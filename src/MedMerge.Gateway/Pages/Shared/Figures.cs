using MedMerge.Reporting.Report;
using Microsoft.AspNetCore.Components;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>The report's tables and figures on pages: the same code draws them, so that they say the same.</summary>
internal static class Figures
{
    /// <summary>Where <see cref="Style"/> is served.</summary>
    public const string StylePath = "figures.css";

    /// <summary>The report's style for what is inside an element of class <c>report</c>; its colours are the pages'.</summary>
    public static string Style => $".report {{\n{ReportStyle.Css}\n}}\n";

    /// <summary>A piece of the report as markup; whatever names it holds are encoded.</summary>
    public static MarkupString Show(Html piece) => new(piece.ToString());
}
