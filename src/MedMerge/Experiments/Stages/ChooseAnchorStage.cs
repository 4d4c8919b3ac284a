using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>The source that was chosen as the anchor.</summary>
/// <param name="Index">Its position among the sources.</param>
/// <param name="Scores">Each source's, on the validation split.</param>
internal sealed record AnchorChoice(int Index, IReadOnlyList<double> Scores);

/// <summary>Chooses the source whose linear probe is best on the validation split; of equal ones the first.</summary>
/// <param name="Probes">The <c>ScoreProbeStage</c> of each source.</param>
internal sealed record ChooseAnchorStage(IReadOnlyList<Stage> Probes, Metric Metric) : Stage
{
    /// <inheritdoc />
    public override string Name => "choose anchor";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => Probes;

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    protected override object Settings => new { Metric };

    /// <summary>Reads the output.</summary>
    public static AnchorChoice Read(StageOutput output) => StageFiles.Read<AnchorChoice>(output, StageFiles.ChosenAnchor);

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        var scores = inputs.Select(input => StageFiles.Read<Validation>(input, StageFiles.Score).Get(Metric)).ToList();
        var best = 0;
        for (var i = 1; i < scores.Count; i++)
            if (scores[i] > scores[best]) best = i;
        return Task.FromResult(new StageOutput(new Dictionary<string, byte[]>
        {
            [StageFiles.ChosenAnchor] = StageFiles.Write(new AnchorChoice(best, scores)),
        }));
    }
}
