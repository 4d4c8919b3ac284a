using System.Text.Json.Nodes;

namespace MedMerge.Merging.Files;

/// <summary>
/// Spherical interpolation of two files, tensor by tensor: x = (sin((1−t)θ)·a + sin(tθ)·b) / sin θ, with θ the angle between a and b
/// (Shoemake 1985, "Animating rotation with quaternion curves"). Linear where they are nearly parallel or opposite, or θ does not exist.
/// </summary>
/// <param name="T">0 gives the first file, 1 the second.</param>
internal sealed record SphericalInterpolation(double T) : FileCombination
{
    /// <summary>As in mergekit: from this cosine on, either way, interpolation is linear.</summary>
    private const double LinearCosine = 0.9995;

    /// <inheritdoc />
    public override string Command => "slerp";

    /// <inheritdoc />
    public override IReadOnlyList<double> GetCoefficients(SourceTensors tensor)
    {
        var cosine = tensor.ComputeCosine();
        if (!(Math.Abs(cosine) <= LinearCosine)) return [1 - T, T];
        var angle = Math.Acos(cosine);
        return [Math.Sin((1 - T) * angle) / Math.Sin(angle), Math.Sin(T * angle) / Math.Sin(angle)];
    }

    /// <inheritdoc />
    public override void Describe(JsonObject record) => record["t"] = T;
}
