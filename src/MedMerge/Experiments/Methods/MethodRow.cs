namespace MedMerge.Experiments.Methods;

/// <summary>A row of the comparison: a method, and the source where the method has a row for each.</summary>
public sealed record MethodRow(IMethod Method, string? Source)
{
    /// <summary>As shown in tables and used in file names: <c>fine-tune chest</c>.</summary>
    public string Title => Source is null ? Method.Name : $"{Method.Name} {Source}";

    /// <summary>The method's part in the comparison.</summary>
    public MethodRole Role => Method.Role;
}
