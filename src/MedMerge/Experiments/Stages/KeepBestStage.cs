using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>What was kept of a merge and the single sources' models.</summary>
/// <param name="Kept">The row that its model is of.</param>
/// <param name="Candidates">Every row, the merge first.</param>
internal sealed record ModelSelection(string Kept, IReadOnlyList<CandidateScore> Candidates)
{
    /// <summary>Whether the merge's own model was kept.</summary>
    public bool IsMergeKept => Kept == Candidates[0].Row;
}

/// <summary>What a candidate scored on the validation split.</summary>
internal sealed record CandidateScore(string Row, Validation Validation);

/// <summary>A model that may be kept.</summary>
/// <param name="Row">The row of the comparison that it is of.</param>
/// <param name="Model">The stage that has it.</param>
/// <param name="Predictions">Its <see cref="EvaluateStage"/>.</param>
internal sealed record KeepCandidate(string Row, Stage Model, Stage Predictions);

/// <summary>
/// Do no harm: keeps the merge where it is better on the validation split than every single source's model, and the best of those where it
/// is not.
/// </summary>
/// <param name="Candidates">The merge first.</param>
internal sealed record KeepBestStage(IReadOnlyList<KeepCandidate> Candidates, Metric Metric) : Stage
{
    /// <inheritdoc />
    public override string Name => "keep best";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs =>
        [.. Candidates.Select(candidate => candidate.Model), .. Candidates.Select(candidate => candidate.Predictions)];

    /// <inheritdoc />
    protected override object Settings => new { Rows = Candidates.Select(candidate => candidate.Row), Metric };

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        var predictions = inputs.Skip(Candidates.Count).ToList();
        var scores = predictions
            .Select(output => Scoring.Validate(StageFiles.Read<HeldOutPredictions>(output, StageFiles.Predictions).Validation))
            .ToList();
        var kept = Choose(scores, Metric);
        var selection = new ModelSelection(
            Candidates[kept].Row,
            [.. Candidates.Zip(scores, (candidate, score) => new CandidateScore(candidate.Row, score))]);
        return Task.FromResult(new StageOutput(new Dictionary<string, byte[]>
        {
            [StageFiles.Model] = inputs[kept][StageFiles.Model],
            [StageFiles.Predictions] = predictions[kept][StageFiles.Predictions],
            [StageFiles.Selection] = StageFiles.Write(selection),
        }));
    }

    /// <summary>The best single source unless the merge, which is the first, is better; of equal single sources the first.</summary>
    internal static int Choose(IReadOnlyList<Validation> scores, Metric metric)
    {
        var best = 1;
        for (var i = 2; i < scores.Count; i++)
            if (scores[i].IsBetterThan(scores[best], metric)) best = i;
        return scores[0].IsBetterThan(scores[best], metric) ? 0 : best;
    }
}
