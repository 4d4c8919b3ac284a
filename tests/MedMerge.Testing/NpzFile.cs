using System.IO.Compression;
using System.Text;

namespace MedMerge.Testing;

/// <summary>Writes MedMNIST-like files for tests.</summary>
internal static class NpzFile
{
    /// <param name="columns">Labels of an image.</param>
    /// <param name="label">From split and index, which runs on over an image's columns; 0 and 1 in turns where null.</param>
    /// <param name="rename">Another name for an array.</param>
    /// <param name="pixel">From the index; running numbers where null.</param>
    /// <param name="header">Another header in place of the usual one.</param>
    /// <param name="type">Another NumPy type for an array, from its name and its usual type.</param>
    public static string Write(
        string folder,
        int side = 28,
        int channels = 1,
        int train = 8,
        int validation = 4,
        int test = 4,
        int columns = 1,
        Func<string, int, int>? label = null,
        Func<string, string>? rename = null,
        Func<string, string, string>? type = null,
        Func<int, byte>? pixel = null,
        Func<string, string>? header = null)
    {
        var path = Path.Combine(folder, "set.npz");
        using var archive = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
        foreach (var (split, count) in new[] { ("train", train), ("val", validation), ("test", test) })
        {
            var shape = channels == 1 ? $"{count}, {side}, {side}" : $"{count}, {side}, {side}, {channels}";
            var pixels = Enumerable.Range(0, count * side * side * channels).Select(pixel ?? (i => (byte)(i * 7)));
            var labels = Enumerable.Range(0, count * columns).Select(i => (long)(label?.Invoke(split, i) ?? i % 2));
            var images = $"{split}_images";
            Add(rename?.Invoke(images) ?? images, Type(images, "|u1"), shape, [.. pixels]);
            Add($"{split}_labels", Type($"{split}_labels", "<i8"), $"{count}, {columns}", [.. labels.SelectMany(BitConverter.GetBytes)]);
        }
        return path;

        void Add(string name, string type, string shape, byte[] data)
        {
            using var stream = archive.CreateEntry(name + ".npy", CompressionLevel.NoCompression).Open();
            var usual = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({shape}), }}";
            var padded = (header?.Invoke(usual) ?? usual).PadRight(117) + "\n";
            stream.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)padded.Length, 0]);
            stream.Write(Encoding.ASCII.GetBytes(padded));
            stream.Write(data);
        }

        string Type(string array, string usual) => type?.Invoke(array, usual) ?? usual;
    }
}
