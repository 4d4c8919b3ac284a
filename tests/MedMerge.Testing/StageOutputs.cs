using MedMerge.Storage;

namespace MedMerge.Testing;

/// <summary>Every stage's output by its key: the list of its files with their hashes, so equal lists are equal bytes.</summary>
public static class StageOutputs
{
    public static async Task<SortedDictionary<string, string>> ReadAsync(IObjectStore store)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var outputs = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach (var found in store.ListAsync(StageStore.Prefix, cancellation))
        {
            var list = (await store.ReadAsync(found.Name, cancellation))!.Content;
            outputs[found.Name] = string.Join('\n', StageStore.FilesOf(list)?.Select(file => $"{file.Key} {file.Value}") ?? ["damaged"]);
        }
        return outputs;
    }
}
