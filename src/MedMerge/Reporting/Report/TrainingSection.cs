using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Specifications;
using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Reporting.Report;

/// <summary>How a scenario's models were trained: learning curves and kernel weights, the proposed method's where it has some.</summary>
internal static class TrainingSection
{
    private const int MaxLines = 6; // sources that can be told apart in a chart

    /// <summary>Draws it; nothing where no trial has a training.</summary>
    public static Html Draw(ScenarioResult result)
    {
        var shown = result.Trials.Where(trial => trial.Training is not null).ToList();
        var curves = shown.SelectMany(trial => GetCurves(result, trial)).ToList();
        if (curves.Count == 0) return Html.None;
        return Html.Of($"""
            {DrawWeights(result, shown)}
            <h3>Learning curves</h3>
            {LearningCurveFigure.Draw(CaptionCurves(result, shown), curves)}
            """);
    }

    private static string CaptionCurves(ScenarioResult result, IEnumerable<TrialResult> shown)
    {
        var seeds = shown.Select(trial => trial.Trial.Seed).Distinct().Order().ToList();
        var one = seeds.Count == 1 ? $"seed {seeds[0]}" : $"each method's first seed ({string.Join(", ", seeds)})";
        return $"Loss (cross-entropy, up) by epoch (across), all to one scale; of {one} alone. The dot is the epoch that was kept: the " +
               $"best {MetricNames.Get(result.Metric)} on validation, which need not have the lowest loss.";
    }

    private static IEnumerable<LearningCurve> GetCurves(ScenarioResult result, TrialResult trial)
    {
        var title = trial.Trial.Row.Title;
        var tuning = trial.Training!.FineTuning;
        if (trial.WeightLearning is { Count: > 0 } learning)
        {
            var kept = TrainingRecord.FindBest(learning, result.Scenario.Settings.KernelWeights.Metric);
            yield return Curve($"{title}: kernel weights", learning, kept);
        }
        if (tuning.Count == 0) yield break;
        var choice = trial.LearningRate;
        var best = choice?.Tries.FirstOrDefault(tried => tried.LearningRate.Equals(choice.LearningRate))?.Best;
        yield return Curve($"{title}: fine-tuning", tuning, trial.Training.FindKept(best));
    }

    private static LearningCurve Curve(string title, IReadOnlyList<EpochRecord> epochs, int? kept) => new(
        title,
        [.. epochs.Select(epoch => epoch.Loss)],
        [.. epochs.Select(epoch => epoch.Validation.Loss)],
        kept);

    private static Html DrawWeights(ScenarioResult result, IReadOnlyList<TrialResult> shown)
    {
        var learned = shown.Where(trial => trial.Training!.Alpha is not null).ToList();
        var merged = learned.Find(trial => trial.Trial.Row.Role == MethodRole.Proposed) ?? learned.FirstOrDefault();
        if (merged is null) return Html.None;
        var title = merged.Trial.Row.Title;
        var weights = merged.Training!.Alpha!;
        var spread = weights.Sources.Count > MaxLines ? Html.None : KernelWeightFigure.DrawSpread(
            "The same along the network (across: the layer's number): the mean of a layer's kernels, and within the band one standard " +
            "deviation to each side",
            weights);
        return Html.Of($"""
            <h3>Kernel weights</h3>
            <p>{DescribeStart(result)}</p>
            {KernelWeightFigure.DrawMap(
                $"α of {title}, seed {merged.Trial.Seed}: the share of each source (rows) in each layer's kernels (columns, from the " +
                $"input on), mean in per cent; the stronger the colour, the larger. {DescribeKept(result, merged)}",
                weights)}
            {spread}
            {Html.Join(DrawPaths(merged))}
            {DrawEntropy(result)}
            """);
    }

    /// <summary>Of two shares one shows what became of the other.</summary>
    private static IEnumerable<Html> DrawPaths(TrialResult trial)
    {
        var weights = trial.Training!.Alpha!;
        var means = trial.Training.LayerMeans;
        if (means.Count < 2 || weights.Sources.Count > MaxLines) yield break;
        var areTwoShares = weights.Sources.Count == 2 && means.All(epoch => epoch.All(layer => Math.Abs(layer.Sum() - 1) < 0.001));
        string[] layers = [.. weights.Layers.Select(layer => layer.Layer)];
        foreach (var (i, source) in weights.Sources.Index().Take(areTwoShares ? 1 : weights.Sources.Count))
        {
            yield return KernelWeightPathFigure.Draw(
                $"How α of {source} moved: the change of its mean in each layer (columns, from the input on), in points from the start, " +
                $"after each epoch (rows){(areTwoShares ? $"; that of {weights.Sources[1]} is the opposite" : "")}",
                layers,
                i,
                means);
        }
    }

    private static string DescribeStart(ScenarioResult result)
    {
        var settings = result.Scenario.Settings;
        var start = settings.KernelWeights.Start == KernelWeightStart.Uniform
            ? $"{Percent.Format(1.0 / result.Scenario.Sources.Count)} % of each source"
            : $"{Percent.Format(settings.KernelWeights.AnchorWeight)} % of {result.Anchor}, the anchor";
        var given = settings.LayersFrom is null ? "" : " Some layers are of one source alone, as `layersFrom` says.";
        return $"Every kernel of the merged model is a mix of the sources' kernels. The mix is learned, and starts at {start}.{given}";
    }

    private static string DescribeKept(ScenarioResult result, TrialResult trial)
    {
        var learning = trial.WeightLearning;
        if (learning.Count == 0) return "";
        var kept = TrainingRecord.FindBest(learning, result.Scenario.Settings.KernelWeights.Metric);
        return kept == 0
            ? $"It is what it started from: none of {learning.Count - 1} epochs was better on validation"
            : $"It is that of epoch {kept} of {learning.Count - 1}, the best on validation";
    }

    private static Html DrawEntropy(ScenarioResult result)
    {
        var curves = result.Trials
            .Where(trial => trial.WeightLearning.Count > 0)
            .GroupBy(trial => trial.Trial.Row)
            .Select(row => new EntropyCurve(
                row.Key.Title,
                [.. row.Select(trial => trial.WeightLearning.Select(epoch => epoch.Entropy ?? double.NaN).ToList())]))
            .ToList();
        if (curves.Count == 0) return Html.None;
        return EntropyFigure.Draw(
            "How the kernel weights moved: their entropy (up) by epoch (across), mean over seeds, and within the band one standard " +
            "deviation to each side. 100 % is an equal mix of all sources, 0 is one source alone",
            curves);
    }
}
