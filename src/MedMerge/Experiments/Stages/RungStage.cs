using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>A candidate's score at a rung.</summary>
/// <param name="Score">The best on the validation split so far, at any of the learning rates; null where training diverged at all.</param>
internal sealed record RungScore(double? Score);

/// <summary>Scores fine-tunings that have come to a rung, on the validation split alone.</summary>
/// <param name="Tries">The same fine-tuning at each learning rate, stopped at the rung.</param>
internal sealed record RungStage(IReadOnlyList<FineTuneStage> Tries, Metric Metric) : Stage
{
    /// <inheritdoc />
    public override string Name => "rung";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => Tries;

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    protected override object Settings => new { Metric };

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        var scores = Tries.Zip(inputs, FindScore).OfType<double>().ToList();
        var score = new RungScore(scores.Count == 0 ? null : scores.Max());
        return Task.FromResult(new StageOutput(new Dictionary<string, byte[]> { [StageFiles.Score] = StageFiles.Write(score) }));
    }

    private double? FindScore(FineTuneStage stage, StageOutput output)
    {
        var epochs = StageFiles.Read<List<EpochRecord>>(output, StageFiles.History);
        if (epochs.Count <= stage.Until) return null;
        var history = TrainingHistory.Empty;
        foreach (var epoch in epochs) history = history.With(epoch, stage.StartCounts, Metric);
        return history.Epochs[history.BestEpoch].Validation.Get(Metric);
    }
}
