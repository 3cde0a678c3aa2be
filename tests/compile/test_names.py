"""Theano's names of these modules are there."""

import importlib

import pytest

NAMES = {
    "compile": """AddDestroyHandler AddFeatureOptimizer AliasedMemoryError DUPLICATE DebugMode DeepCopyOp DisconnectedType
        FAST_COMPILE FAST_RUN FromFunctionOp Function FunctionMaker In Mode MonitorMode NODEFAULT NullType OPT_FAST_COMPILE
        OPT_FAST_RUN OPT_FAST_RUN_STABLE OPT_MERGE OPT_NONE OPT_O2 OPT_O3 OPT_STABILIZE OPT_UNSAFE OpFromGraph Out Param
        PrintCurrentFunctionGraph ProfileStats Rebroadcast ScanProfileStats Shape Shape_i SharedVariable SpecifyShape
        Supervisor SymbolicInput SymbolicOutput UnusedInputError Variable ViewOp alias_root as_op check_equal config
        convert_function_input deep_copy_op exclude fgraph_updated_vars function function_dump get_default_mode
        get_info_on_inputs get_mode infer_reuse_pattern inline_ofg_expansion insert_deepcopy instantiated_default_mode
        io_connection_pattern is_same_graph local_useless ops_with_inner_function optdb orig_function pfunc
        predefined_linkers predefined_modes predefined_optimizers rebuild_collect_shared register_checker
        register_deep_copy_op_c_code register_linker register_mode register_optimizer register_rebroadcast_c_code
        register_shape_c_code register_shape_i_c_code register_specify_shape_c_code register_view_op_c_code shape shared
        shared_constructor specify_shape std_fgraph string_types view_op view_tree_set""",
    "compile.debugmode": """BadDestroyMap BadOptimization BadThunkOutput BadViewMap DataDestroyed DebugMode DebugModeError
        InvalidValueError NoDuplicateOptWarningFilter StochasticOrder char_from_number check_eq config data_destroyed
        debugprint default_make_thunk ops_with_inner_function""",
    "compile.nanguardmode": """NanGuardMode config contains_inf contains_nan f_compute f_gpua_absmax f_gpua_max f_gpua_min
        flatten pygpu_available""",
    "compile.profiling": """ProfileStats ScanProfileStats config print_global_stats register_profiler_printer
        theano_imported_time total_fct_exec_time total_graph_opt_time total_time_linker""",
    "compile.ops": """expandable_types integer_types load_back shape_i shape_i_op OutputGuard""",
    "gradient": """ConsiderConstant DisconnectedGrad DisconnectedInputError DisconnectedType FAST_RUN GradClip GradScale
        GradientError Lop NullTypeGradError Rop UndefinedGrad ZeroGrad consider_constant consider_constant_ disconnected_grad
        disconnected_grad_ disconnected_type format_as grad grad_clip grad_not_implemented grad_scale grad_time
        grad_undefined hessian jacobian mode_not_slow null_type numeric_grad subgraph_grad tensor undefined_grad
        undefined_grad_ verify_grad zero_grad zero_grad_""",
    "printing": """DefaultPrinter FunctionPrinter IgnorePrinter LeafPrinter OperatorPrinter PPrinter PatternPrinter Print
        PrinterState VALID_ASSOC config debugprint default_colorCodes default_printer greek hex_digest integer_types
        leaf_printer min_informative_str position_independent_str pp pprint pydot_imported pydot_imported_msg pydotprint
        special string_types use_ascii var_descriptor""",
    "misc.pkl_utils": """CompatUnpickler PersistentGpuArrayID PersistentNdarrayID PersistentNdarrayLoad
        PersistentSharedVariableID StripPickler dump load zipadd""",
}


@pytest.mark.parametrize("module", sorted(NAMES))
def test_names_are_there(module):
    found = importlib.import_module(f"theano_compat.{module}")
    assert [name for name in NAMES[module].split() if not hasattr(found, name)] == []


@pytest.mark.parametrize("name", ["DisconnectedType", "GradientError", "NullTypeGradError"])
def test_classes_of_packages_carry_the_public_module(name):
    import theano_compat.gradient

    assert getattr(theano_compat.gradient, name).__module__ == "theano_compat.gradient"
