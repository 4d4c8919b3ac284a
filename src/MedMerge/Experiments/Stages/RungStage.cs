using MedMerge.Statistics;

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
        var scores = Tries.Zip(inputs, (stage, output) => stage.FindBest(output, Metric)?.Get(Metric)).OfType<double>().ToList();
        var score = new RungScore(scores.Count == 0 ? null : scores.Max());
        return Task.FromResult(new StageOutput(new Dictionary<string, byte[]> { [StageFiles.Score] = StageFiles.Write(score) }));
    }
}
