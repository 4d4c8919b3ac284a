namespace MedMerge.Tests.Fuzzing;

/// <summary>A parser that gets damaged files: it reads them, or refuses them with an <see cref="InputException"/>.</summary>
/// <param name="Name">What the command line calls it.</param>
/// <param name="Seeds">Whole files. They are made when they are asked for: some need libtorch or the repository.</param>
internal sealed record FuzzTarget(string Name, Func<IReadOnlyList<byte[]>> Seeds, Action<byte[]> Read)
{
    /// <summary>Bytes that the reading of a small file may take.</summary>
    public const long MaxAllocated = 512L << 20;
}
