using System.Text.Json.Nodes;

namespace MedMerge.Merging.Files;

/// <summary>How weight files become one without data: each tensor a weighted sum of the files' tensors.</summary>
internal abstract record FileCombination
{
    /// <summary>The command that does it.</summary>
    public abstract string Command { get; }

    /// <summary>The files' coefficients in the sum of a tensor.</summary>
    public abstract IReadOnlyList<double> GetCoefficients(SourceTensors tensor);

    /// <summary>Adds what it depends on to the record of how a file was made.</summary>
    public abstract void Describe(JsonObject record);
}
