namespace MedMerge.Reporting.Report;

/// <summary>The report's words for readers who have not read the documentation.</summary>
internal static class Glossary
{
    private static readonly IReadOnlyDictionary<string, string> Words = new OrderedDictionary<string, string>
    {
        ["source"] = "A model that was trained on other images before. A single source is one of them, trained further without merging.",
        ["merging"] = "Making one model of several sources: each of its kernels is a mix of theirs.",
        ["kernel weights, α"] = "The share of each source in each kernel. Their entropy says how even the mix is.",
        ["control"] = "The same method without one of its ingredients. If it does as well, the gain does not come from that ingredient.",
        ["seed"] = "A repetition that draws its chances anew. What differs between seeds is chance.",
        ["validation, test"] = "Choices are made on validation images; scores are of test images, which no choice has seen.",
        ["Δ"] = "Difference to the best single source on the same seeds and test images. If its 95 % interval holds 0, it may be chance.",
        ["macro F1"] = "Mean over classes of the balance of precision (of those named, how many are) and recall (of those that " +
                       "are, how many are named), so that rare classes count as much as common ones.",
        ["AUC"] = "How often an image of a class is given a higher probability of it than one of another class: 50 % is guessing.",
        ["calibration"] = "Whether of the answers with 80 % confidence 80 % are right. Below the diagonal, it is too sure of itself.",
    };

    /// <summary>Draws it.</summary>
    public static Html Draw() => Html.Of($"""
        <div>
        <h2>Words</h2>
        <dl>
        {Html.Join(Words.Select(word => Html.Of($"<dt>{word.Key}</dt><dd>{word.Value}</dd>")))}
        </dl>
        </div>
        """);
}
