namespace MedMerge.Reporting.Report;

/// <summary>A picture with its caption, which scrolls where the window is narrower than the picture, by keyboard too.</summary>
internal static class WideFigure
{
    /// <summary>Draws it.</summary>
    /// <param name="caption">What it shows, in a sentence or two.</param>
    public static Html Draw(string caption, Html picture) => Html.Of($"""
        <figure>
        <div class="wide" tabindex="0" role="region" aria-label="{caption}">
        {picture}
        </div>
        <figcaption>{caption}</figcaption>
        </figure>
        """);
}
