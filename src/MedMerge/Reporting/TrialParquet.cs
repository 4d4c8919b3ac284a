using MedMerge.Experiments.Results;
using Parquet;
using Parquet.Schema;

namespace MedMerge.Reporting;

/// <summary>Writes <see cref="TrialTable"/> as Apache Parquet, with the same bytes for the same results.</summary>
internal static class TrialParquet
{
    /// <summary>Writes one row group: a sweep has 10,000 trials at most.</summary>
    public static async Task<byte[]> WriteAsync(SweepResult result, CancellationToken cancellation)
    {
        var columns = TrialTable.Of(result);
        var fields = columns.Select(column => new DataField(column.Name, column.Type, isNullable: true)).ToArray();
        using var content = new MemoryStream();
        var writer = await ParquetWriter
            .CreateAsync(new ParquetSchema(fields), content, cancellationToken: cancellation)
            .ConfigureAwait(false);
        await using (writer.ConfigureAwait(false))
        {
            using var rows = writer.CreateRowGroup();
            foreach (var (field, column) in fields.Zip(columns)) await WriteAsync(rows, field, column).ConfigureAwait(false);
        }
        return content.ToArray();
    }

    private static async Task WriteAsync(ParquetRowGroupWriter rows, DataField field, TrialColumn column)
    {
        if (column.Type == typeof(long)) await rows.WriteAsync<long>(field, GetNumbers<long>(column)).ConfigureAwait(false);
        else if (column.Type == typeof(ulong)) await rows.WriteAsync<ulong>(field, GetNumbers<ulong>(column)).ConfigureAwait(false);
        else if (column.Type == typeof(double)) await rows.WriteAsync<double>(field, GetNumbers<double>(column)).ConfigureAwait(false);
        else await rows.WriteAsync(field, [.. column.Values.Select(value => (string?)value)]).ConfigureAwait(false);
    }

    private static T?[] GetNumbers<T>(TrialColumn column) where T : struct => [.. column.Values.Select(value => (T?)value)];
}
