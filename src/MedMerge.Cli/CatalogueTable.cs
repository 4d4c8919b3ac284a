using System.Globalization;
using MedMerge.Data.Catalogue;
using MedMerge.Reporting;

namespace MedMerge.Cli;

/// <summary>The catalogue in text: what there is, how large, under which licence, and what is in a folder already.</summary>
internal static class CatalogueTable
{
    private const string AtMost = "≤ ";

    /// <summary>Renders it for a terminal.</summary>
    /// <param name="folder">The folder of data.</param>
    public static string Render(IReadOnlyList<CatalogueEntry> entries, string folder)
    {
        var sets = entries.Where(entry => !entry.IsWeights).ToList();
        var weights = entries.Where(entry => entry.IsWeights).ToList();
        return RenderSets(sets, folder) + "\n" + RenderWeights(weights, folder) + $"""

            {AtMost.Trim()} means that the length is not known, and what it is at most.
            'here' is what '{folder}' has by name; `medmerge data verify` checks hashes.

            """;
    }

    private static string RenderSets(List<CatalogueEntry> sets, string folder)
    {
        var sizes = sets.SelectMany(set => set.Files).Select(file => file.ImageSize).Distinct().Order().ToList();
        return TextTable.Render(
        [
            ["data set", "images", .. sizes.Select(size => $"{size} px"), "licence", "here"],
            .. sets.Select(set => (string[])
            [
                set.Name,
                set.Contents,
                .. sizes.Select(size => set.Files.FirstOrDefault(file => file.ImageSize == size) is { } file ? FormatSize(file) : ""),
                set.Licence,
                string.Join(", ", set.Files.Where(file => IsHere(file, folder)).Select(FormatPixels)),
            ]),
        ]);
    }

    private static string RenderWeights(List<CatalogueEntry> weights, string folder) => TextTable.Render(
    [
        ["weights", "model", "size", "licence", "here"],
        .. weights.Select(entry => (string[])
        [
            entry.Name,
            entry.Contents,
            FormatSize(entry.Files[0]),
            entry.Licence,
            IsHere(entry.Files[0], folder) ? "yes" : "",
        ]),
    ]);

    private static bool IsHere(CatalogueFile file, string folder) => File.Exists(Path.Combine(folder, file.Path));

    private static string FormatPixels(CatalogueFile file) => string.Create(CultureInfo.InvariantCulture, $"{file.ImageSize}");

    private static string FormatSize(CatalogueFile file) =>
        file.Bytes is { } bytes ? ByteSize.Format(bytes) : AtMost + ByteSize.Format(file.MaxBytes);
}
