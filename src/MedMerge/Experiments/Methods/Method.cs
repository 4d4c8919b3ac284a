namespace MedMerge.Experiments.Methods;

/// <summary>A row of the comparison: a kind, and the source where the kind has one each.</summary>
public sealed record Method(MethodKind Kind, string? Source)
{
    /// <summary>As shown in tables and used in file names: <c>fine-tune chest</c>.</summary>
    public string Title => Source is null ? MethodNames.Of(Kind) : $"{MethodNames.Of(Kind)} {Source}";
}
