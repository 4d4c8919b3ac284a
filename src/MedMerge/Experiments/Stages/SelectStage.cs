namespace MedMerge.Experiments.Stages;

/// <summary>Selects a prepared model by the anchor that was chosen: the anchor itself, or what replaces a source that is not.</summary>
/// <param name="Candidates">The prepared models.</param>
/// <param name="Names">Their names, for the file of kernel weights.</param>
/// <param name="ByAnchor">For each source that may be the anchor, the position of the model among the candidates.</param>
internal sealed record SelectStage(
    IReadOnlyList<Stage> Candidates,
    IReadOnlyList<string> Names,
    IReadOnlyList<int> ByAnchor,
    Anchor Anchor) : Stage
{
    /// <inheritdoc />
    public override string Name => "select";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [.. Candidates, .. Anchor.Inputs];

    /// <inheritdoc />
    public override bool IsPrepared => true;

    /// <inheritdoc />
    protected override object Settings => new { Names, ByAnchor };

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        var selected = ByAnchor[Anchor.Find(inputs)];
        var source = StageFiles.Read<SourceInfo>(inputs[selected], StageFiles.Source) with { Name = Names[selected] };
        return Task.FromResult(new StageOutput(new Dictionary<string, byte[]>
        {
            [StageFiles.Prepared] = inputs[selected][StageFiles.Prepared],
            [StageFiles.Source] = StageFiles.Write(source),
        }));
    }
}
